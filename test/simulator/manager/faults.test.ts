import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../../src/simulator/manager/fault.js';
import {
  type SimulatedManager,
  type SimulatedManagerOptions,
  startSimulatedManager,
} from '../../../src/simulator/manager/simulated-manager.js';
import { ManualClock } from '../../support/manual-clock.js';
import { ask, getScheduler, HEALTH, hostnames, keepAliveBeat, listSchedulers, V2 } from './questions.js';
import { RawClient } from './raw-client.js';

let manager: SimulatedManager;
let client: RawClient;

async function start(options: SimulatedManagerOptions = {}): Promise<void> {
  manager = await startSimulatedManager(options);
  client = new RawClient(manager.address);
}

afterEach(async () => {
  client.close();
  await manager.stop();
});

const health = () => ask(client, `${HEALTH}/Check`, {});
const unknown = (name: string, deadlineMs?: number) => getScheduler(client, { hostname: name }, deadlineMs);

describe('a simulated manager with a fault', () => {
  it.each<[Fault, string]>([
    [{ kind: 'database-dead' }, 'dial tcp 127.0.0.1:3306: connect: connection refused'],
    [{ kind: 'too-many-connections' }, 'Error 1040: Too many connections'],
    [{ kind: 'database-error', message: 'invalid connection' }, 'invalid connection'],
  ])('%o: fails what is in no cache, and answers the rest as if nothing were', async (fault, message) => {
    await start();
    await listSchedulers(client);
    manager.setFault(fault);
    expect(await unknown('nobody')).toMatchObject({ code: 13, message });
    expect(hostnames(await listSchedulers(client))).toEqual(['sched-a', 'sched-b']);
    expect((await health()).answer.status).toBe('SERVING');
    manager.clearFaults();
    expect(await unknown('nobody')).toMatchObject({ code: 13, message: 'record not found' });
  });

  it('hides a dead database for 30 s behind the query cache of v2.5', async () => {
    const clock = new ManualClock();
    await start({ clock });
    await unknown('nobody');
    manager.setFault({ kind: 'database-dead' });
    expect((await unknown('nobody')).message).toBe('record not found');
    clock.advance(30_001);
    expect((await unknown('nobody')).message).toContain('connection refused');
  });

  it('answers nothing that needs a frozen database until the deadline, and the patient once it thaws', async () => {
    await start();
    manager.setFault({ kind: 'database-frozen' });
    expect((await unknown('nobody', 100)).code).toBe(4);
    expect((await health()).answer.status).toBe('SERVING');
    const patient = unknown('nobody');
    await expect.poll(() => manager.stats.callsOpen).toBe(1);
    manager.clearFault('database-frozen');
    expect((await patient).message).toBe('record not found');
  });

  it('takes 9 s for a list and 3 s for an unknown scheduler while Redis is frozen', async () => {
    const clock = new ManualClock();
    await start({ clock });
    manager.setFault({ kind: 'redis-frozen' });
    const startMs = clock.nowMs();
    const passed = async (call: Promise<unknown>): Promise<number> => {
      let isDone = false;
      void call.then(() => {
        isDone = true;
      });
      const fromMs = clock.nowMs();
      while (!isDone) {
        if (clock.nextTimerInMs !== undefined && clock.nextTimerInMs <= 3_000)
          await clock.advanceAsync(clock.nextTimerInMs);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return clock.nowMs() - fromMs;
    };
    expect(await passed(listSchedulers(client))).toBe(9_000);
    expect(await passed(unknown('nobody'))).toBe(3_000);
    expect(await passed(listSchedulers(client))).toBe(0);
    expect(clock.nowMs() - startMs).toBe(12_000);
  });

  it('frozen, answers nobody and greets no new connection; thawed, it answers what it was asked', async () => {
    await start();
    await health();
    manager.setFault({ kind: 'frozen' });
    expect((await ask(client, `${HEALTH}/Check`, {}, 100)).code).toBe(4);
    const newcomer = new RawClient(manager.address);
    const patient = listSchedulers(client);
    const stranger = ask(newcomer, `${HEALTH}/Check`, {});
    await expect.poll(() => manager.stats.connectionsOpen).toBe(2);
    await expect.poll(() => manager.stats.callsOpen).toBe(1);
    manager.clearFaults();
    expect((await patient).code).toBe(0);
    expect((await stranger).code).toBe(0);
    newcomer.close();
  });

  it('says RESOURCE_EXHAUSTED in the words of the middleware, health included', async () => {
    await start();
    manager.setFault({ kind: 'rate-limited' });
    expect(await health()).toMatchObject({
      code: 8,
      message: expect.stringContaining('rejected by grpc_ratelimit middleware'),
    });
    manager.setFault({ kind: 'rate-limited', callsPerSecond: 1_000 });
    expect((await health()).code).toBe(0);
  });

  it('lists nobody, and is slow, when told so', async () => {
    const clock = new ManualClock();
    await start({ clock });
    manager.setFault({ kind: 'empty-lists' });
    expect(await listSchedulers(client)).toMatchObject({ code: 0, answer: { schedulers: [] } });
    manager.setFault({ kind: 'slow', delayMs: 9_000 });
    const answer = health();
    await expect.poll(() => clock.nextTimerInMs).toBe(9_000);
    clock.advance(9_000);
    expect((await answer).code).toBe(0);
  });

  it('ends connections that are open with GOAWAY, on command and by age', async () => {
    const clock = new ManualClock();
    await start({ clock, connectionAgeMs: 2_000 });
    // grpc-js loses a call that it sends while a GOAWAY arrives, so this asks until it has seen it.
    const connections = async (): Promise<number> => {
      await ask(client, `${HEALTH}/Check`, {}, 500);
      return manager.stats.connectionsTotal;
    };
    expect(await connections()).toBe(1);
    manager.setFault({ kind: 'connection-age' });
    await expect.poll(connections).toBe(2);
    clock.advance(1_000);
    await expect.poll(() => manager.stats.connectionsOpen).toBe(1);
    clock.advance(1_200);
    await expect.poll(connections).toBe(3);
  });

  it('killed, refuses connections, and comes back on the same port', async () => {
    await start();
    await health();
    const { address } = manager;
    await manager.stop();
    expect((await health()).code).toBe(14);
    await manager.restart();
    expect(manager.address).toBe(address);
    await expect.poll(async () => (await health()).code).toBe(0);
  });

  it('a write that hung in a frozen database dies with its process', async () => {
    await start();
    const node = { kind: 'scheduler', clusterId: 1, hostname: 'sched-a', ip: '10.1.0.1' } as const;
    const stream = client.open(`${V2}/KeepAlive`);
    stream.send(keepAliveBeat());
    await expect.poll(() => manager.record.stateHistory(node).length).toBe(2);
    manager.setFault({ kind: 'database-frozen' });
    stream.halfClose();
    await manager.stop();
    manager.clearFaults();
    await manager.restart();
    expect(manager.record.stateHistory(node).map(({ cause }) => cause)).toEqual(['registered', 'keep-alive']);
  });

  it('takes bare connects and noise without a fuss', async () => {
    await start();
    for (const bytes of ['', 'GET / HTTP/1.1\r\n\r\n', '\u0000'.repeat(64)]) {
      const socket = connect(manager.port, '127.0.0.1');
      // A reset is an answer, too.
      socket.on('error', () => {});
      socket.resume().end(bytes);
      await new Promise((resolve) => socket.once('close', resolve));
    }
    expect((await health()).code).toBe(0);
    await expect.poll(() => manager.stats).toMatchObject({ connectionsOpen: 1, connectionsTotal: 4 });
  });

  it('keeps a log of what it was asked', async () => {
    await start();
    await unknown('nobody', 5_000);
    const [seen] = manager.calls();
    expect(seen).toMatchObject({ path: `${V2}/GetScheduler`, messages: 1, code: 13, cancelled: false });
    expect(seen?.requestBytes.toString('latin1')).toContain('nobody');
    expect(seen?.deadlineWallMs).toBeGreaterThan(0);
    expect(manager.stats.callsByMethod).toEqual({ [`${V2}/GetScheduler`]: 1 });
    expect(manager.stats.callsByCode).toEqual({ INTERNAL: 1 });
  });
});
