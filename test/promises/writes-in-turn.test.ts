import { afterEach, beforeEach, expect, it } from 'vitest';
import { Code } from '../../src/rpc/status.js';
import { type ScriptedManager, startScriptedManager } from '../../src/simulator/manager/scripted-manager.js';
import { type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';
import { until } from '../support/until.js';

const DELETE = '/manager.v2.Manager/DeleteSeedPeer';
const GET = '/manager.v2.Manager/GetSeedPeer';
const UPDATE = '/manager.v2.Manager/UpdateScheduler';
const AT_ONCE = 1;
const PATIENCE_MS = 5;

let manager: ScriptedManager;
/** Lets the manager answer a deletion, in the order in which they came. */
let held: (() => void)[];
let running: RunningGateway;
let clock: ManualClock;
let greedy: Caller;
let other: Caller;

const deletionOf = (hostname: string): Buffer => requestOf(DELETE, { hostname, seed_peer_cluster_id: '1' });
const remove = async (caller: Caller, hostname: string): Promise<number> =>
  (await caller.call(DELETE, deletionOf(hostname))).code;
const removeMany = (count: number): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, (_, nth) => remove(greedy, `forged-${nth}`)));
const answerAll = (): void => {
  for (const answer of held.splice(0)) answer();
};
/** As the manager answers whatever comes. */
async function answered<T>(many: Promise<T>): Promise<T> {
  const answering = setInterval(answerAll, 1);
  return many.finally(() => clearInterval(answering));
}

beforeEach(async () => {
  held = [];
  manager = await startScriptedManager({
    answer: ({ path, messages }) =>
      path === DELETE ? new Promise((resolve) => held.push(() => resolve({ messages }))) : { messages },
  });
  clock = new ManualClock();
  running = await startGateway({ managers: [manager.address], clock });
  await running.seen(({ kind }) => kind === 'probe-finished');
  [greedy, other] = [await connectCaller(running.address), await connectCaller(running.address)];
});

afterEach(async () => {
  answerAll();
  await Promise.all([greedy.close(), other.close()]);
  await running.gateway.stop();
  await manager.stop();
});

it('of many writes that one connection sends, the manager gets a few at a time, and those of others between them', async () => {
  const many = removeMany(20);
  await until('the first have come', () => held.length >= AT_ONCE);
  const others = remove(other, 'wanted');
  await until("another's has come", () => held.length > AT_ONCE);
  expect(held).toHaveLength(AT_ONCE + 1);
  answerAll();
  expect(await others).toBe(Code.OK);
  expect(await answered(many)).toEqual(Array(20).fill(Code.OK));
});

it('a manager that takes its time gets the next ones all the same', async () => {
  const many = removeMany(20);
  for (let times = 1; times <= 5; times++) {
    await until('the next ones have come', () => held.length >= times * AT_ONCE);
    expect(held).toHaveLength(times * AT_ONCE);
    clock.advance(PATIENCE_MS);
  }
  expect(await answered(many)).toEqual(Array(20).fill(Code.OK));
});

it('a write that its caller has taken back while it waited reaches no manager', async () => {
  const first = removeMany(AT_ONCE);
  const takenBack = greedy.begin(DELETE, deletionOf('taken-back'));
  const last = remove(greedy, 'last');
  await until('the first have come', () => held.length >= AT_ONCE);
  takenBack.cancel();
  await takenBack.called.catch(() => undefined);
  // What comes later on the connection is answered: the gateway has heard of it.
  await greedy.call('/no.such.Service/X', Buffer.alloc(0));
  expect(await answered(Promise.all([first, last]))).toEqual([Array(AT_ONCE).fill(Code.OK), Code.OK]);
  expect(manager.calls().filter(({ path }) => path === DELETE)).toHaveLength(AT_ONCE + 1);
});

it('a write that its caller has taken back while it waited makes nothing void', async () => {
  const get = requestOf(GET, { hostname: 'there', ip: '127.0.0.9', seed_peer_cluster_id: '1' });
  const sourceOf = async (): Promise<unknown> => (await other.call(GET, get)).trailers['x-dfmgw-cache'];
  await sourceOf();
  // It says something of the schedulers of its cluster, too.
  expect(await sourceOf()).toBe('hit');
  const first = removeMany(AT_ONCE);
  const takenBack = greedy.begin(UPDATE, requestOf(UPDATE, { hostname: 'there', scheduler_cluster_id: '1' }));
  await until('the first has come', () => held.length >= AT_ONCE);
  takenBack.cancel();
  await takenBack.called.catch(() => undefined);
  await greedy.call('/no.such.Service/X', Buffer.alloc(0));
  expect(await answered(first)).toEqual(Array(AT_ONCE).fill(Code.OK));
  await running.seen((event) => event.kind === 'call-answered' && event.method.endsWith('UpdateScheduler'));
  expect(await sourceOf()).toBe('hit');
});
