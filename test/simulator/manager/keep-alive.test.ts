import { afterEach, describe, expect, it } from 'vitest';
import { seedFromRecordings } from '../../../src/simulator/manager/recorded-rows.js';
import {
  type SimulatedManager,
  type SimulatedManagerOptions,
  startSimulatedManager,
} from '../../../src/simulator/manager/simulated-manager.js';
import { ask, getScheduler, keepAliveBeat, V2 } from './questions.js';
import { RawClient } from './raw-client.js';

const PATH = `${V2}/KeepAlive`;
const SCHED_A = { kind: 'scheduler', clusterId: 1, hostname: 'sched-a', ip: '10.1.0.1' } as const;
const NEVER_LATE = { probability: 0, delayMs: 0 };

let manager: SimulatedManager;
let client: RawClient;

async function start(options: SimulatedManagerOptions = {}): Promise<void> {
  manager = await startSimulatedManager({ lateInactive: NEVER_LATE, ...options });
  client = new RawClient(manager.address);
}

afterEach(async () => {
  client.close();
  await manager.stop();
});

const states = () => manager.record.stateHistory(SCHED_A).map(({ state, cause }) => `${state} by ${cause}`);
const state = () => manager.record.findScheduler(SCHED_A)?.state;

/** A stream whose first message has been written down. */
async function beating() {
  const before = states().length;
  const stream = client.open(PATH);
  stream.send(keepAliveBeat());
  await expect.poll(() => states().length).toBe(before + 1);
  return stream;
}

describe('KeepAlive', () => {
  it('sets the node active with the first message and inactive before the status of a half-close', async () => {
    await start();
    manager.record.setState(SCHED_A, 'inactive', 'seeded');
    const stream = await beating();
    expect(state()).toBe('active');
    stream.halfClose();
    expect(await stream.status).toMatchObject({ code: 0, details: '' });
    expect(stream.messages).toEqual([]);
    expect(states().at(-1)).toBe('inactive by half-close');
  });

  it('counts no references: the end of one of two streams leaves the node inactive, whatever the other sends', async () => {
    await start();
    const first = await beating();
    const second = await beating();
    first.halfClose();
    await first.status;
    const beatAtMs = manager.record.findScheduler(SCHED_A)?.lastBeatAtMs;
    second.send(keepAliveBeat());
    await expect.poll(() => manager.record.findScheduler(SCHED_A)?.lastBeatAtMs).not.toBe(beatAtMs);
    expect(state()).toBe('inactive');
  });

  it('lets the late inactive overtake the new active in about 17 of 40 cancels that are followed at once', async () => {
    await start({ lateInactive: { probability: 17 / 40, delayMs: 50 } });
    let overtaken = 0;
    let stream = await beating();
    for (let attempt = 0; attempt < 40; attempt += 1) {
      const before = states().length;
      stream.cancel();
      stream = client.open(PATH);
      stream.send(keepAliveBeat());
      await expect.poll(() => states().length, { interval: 5 }).toBe(before + 2);
      if (state() === 'inactive') overtaken += 1;
    }
    expect(overtaken).toBeGreaterThanOrEqual(10);
    expect(overtaken).toBeLessThanOrEqual(24);
    expect(states()).toContain('inactive by late');
  });

  it('refuses a node without a row at the first message, and a stream without a message', async () => {
    await start();
    const stranger = client.open(PATH);
    stranger.send(keepAliveBeat({ hostname: 'stranger' }));
    expect(await stranger.status).toMatchObject({ code: 13, details: 'record not found' });
    const silent = client.open(PATH);
    silent.halfClose();
    expect(await silent.status).toMatchObject({ code: 13, details: 'EOF' });
  });

  it('gives no sign when the row is deleted under an open stream', async () => {
    await start();
    const stream = await beating();
    await getScheduler(client);
    manager.record.deleteNode(SCHED_A);
    stream.send(keepAliveBeat());
    expect((await getScheduler(client)).answer).toMatchObject({ hostname: 'sched-a', state: 'active' });
    expect(manager.stats.keepAliveStreamsOpen).toBe(1);
  });

  it('leaves the rows as they were when the manager is killed, and takes streams again after a restart', async () => {
    await start();
    const stream = await beating();
    const before = states();
    await manager.stop();
    expect((await stream.status).code).toBe(14);
    expect(states()).toEqual(before);
    await manager.restart();
    await beating();
    expect(states()).toEqual([...before, 'active by keep-alive']);
  });

  it('shows a state that it set at once in GetScheduler, on this process', async () => {
    await start();
    expect((await getScheduler(client)).answer.state).toBe('active');
    const stream = await beating();
    stream.halfClose();
    await stream.status;
    expect((await getScheduler(client)).answer.state).toBe('inactive');
  });

  it('sets a seed peer active by UpdateSeedPeer v2 alone, and a scheduler not by UpdateScheduler', async () => {
    await start({ record: seedFromRecordings({ nodes: false }) });
    const place = { hostname: 'node', ip: '10.3.0.1' };
    const seedPeer = { ...place, seed_peer_cluster_id: 1, type: 'super', port: 65006, download_port: 65008 };
    expect((await ask(client, `${V2}/UpdateSeedPeer`, seedPeer)).answer.state).toBe('active');
    const scheduler = { ...place, scheduler_cluster_id: 1, port: 8002 };
    expect((await ask(client, `${V2}/UpdateScheduler`, scheduler)).answer.state).toBe('inactive');
    const moved = await ask(client, `${V2}/UpdateScheduler`, { ...scheduler, port: 8003 });
    expect(moved).toMatchObject({ code: 13, message: expect.stringContaining('Duplicate entry') });
  });
});
