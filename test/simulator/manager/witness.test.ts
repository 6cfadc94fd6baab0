import { afterEach, beforeEach, expect, it } from 'vitest';
import { Code } from '../../../src/rpc/status.js';
import {
  type SaidAnswer,
  type SimulatedManager,
  startSimulatedManager,
} from '../../../src/simulator/manager/simulated-manager.js';
import { until } from '../../support/until.js';
import { getScheduler, listSchedulers } from './questions.js';
import { RawClient } from './raw-client.js';

let said: SaidAnswer[];
let manager: SimulatedManager;
let client: RawClient;

beforeEach(async () => {
  said = [];
  manager = await startSimulatedManager({ witness: (one) => said.push(one) });
  client = new RawClient(manager.address);
});
afterEach(async () => {
  client.close();
  await manager.stop();
});

it('whoever wants to know is told of every answer, as its caller is', async () => {
  const beforeMs = performance.now();
  const { code, message } = await listSchedulers(client);
  expect(code).toBe(0);
  const [one] = said;
  expect(said).toHaveLength(1);
  expect(one).toMatchObject({ path: '/manager.v2.Manager/ListSchedulers', code: 0 });
  expect(one?.answer?.length).toBeGreaterThan(0);
  expect(one?.requestBytes.length).toBeGreaterThan(0);
  const times = [beforeMs, one?.receivedAtMs, one?.saidAtMs, performance.now()];
  expect(times.toSorted((a, b) => Number(a) - Number(b))).toEqual(times);
  expect(message).toBe('');
});

it('and of refusals, which have no answer', async () => {
  manager.setFault({ kind: 'database-dead' });
  const { code, message } = await getScheduler(client);
  expect(said.map((one) => [one.code, one.message, one.answer])).toEqual([[code, message, undefined]]);
});

it('and of who did not wait for one', async () => {
  manager.setFault({ kind: 'database-frozen' });
  await until('a call has reached it before its deadline, and the cancel', async () => {
    await getScheduler(client, {}, 100);
    return said.length > 0;
  });
  expect(said[0]).toMatchObject({ code: Code.CANCELLED, answer: undefined });
});
