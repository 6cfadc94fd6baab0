import { describe, expect, it } from 'vitest';
import { seedFromRecordings } from '../../src/simulator/manager/recorded-rows.js';
import type { SchedulerRow } from '../../src/simulator/manager/rows.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import type { UpstreamOptions } from '../../src/upstream/create-upstream.js';
import { requestOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { type HeldStream, hold } from '../support/upstream-held.js';
import { cleanUpAfterEach, cleanUpLater, startUpstream } from '../support/upstream-setup.js';

cleanUpAfterEach();

const KEEP_ALIVE = '/manager.v2.Manager/KeepAlive';
/** Longer than any of these tests. */
const GRACE_MS = 60_000;

/** A manager that behaves as real ones do, `count` schedulers registered with it, and an upstream that has reached it. */
async function meet(count: number, options: Partial<UpstreamOptions> = {}) {
  const record = seedFromRecordings();
  const nodes = record.addSchedulers(count, { state: 'inactive' });
  const manager = await startSimulatedManager({ record });
  cleanUpLater(() => manager.stop());
  const harness = startUpstream({ addrs: [manager.port] }, options);
  await harness.settled();
  const holdFor = (row: SchedulerRow) => hold(harness.upstream.line(), firstOf(row));
  const active = () => nodes.filter(({ state }) => state === 'active').length;
  return { record, nodes, manager, harness, upstream: harness.upstream, holdFor, active };
}

function firstOf({ hostname, ip, clusterId }: SchedulerRow): Buffer {
  return requestOf(KEEP_ALIVE, { source_type: 'SCHEDULER_SOURCE', hostname, ip, cluster_id: clusterId });
}

/** As the shield does: half-close, wait for the status, open elsewhere. */
async function move(stream: HeldStream, open: () => HeldStream): Promise<HeldStream> {
  stream.call.halfClose();
  const { status } = await stream.ended;
  if (status.code !== 0) throw new Error(status.message);
  return open();
}

function writesTo({ record }: SimulatedManager, { hostname, ip, clusterId }: SchedulerRow) {
  const history = record.stateHistory({ kind: 'scheduler', hostname, ip, clusterId });
  return history.map(({ state, cause }) => `${state}: ${cause}`);
}

describe('lines to a manager', () => {
  it('carry a thousand streams over two connections, and all move in order when these age', async () => {
    const { nodes, manager, harness, upstream, holdFor, active } = await meet(1_000);
    const old = nodes.map(holdFor);
    await harness.until(() => active() === 1_000);
    expect(new Set(old.map(({ line }) => line)).size).toBe(2);

    manager.setFault({ kind: 'connection-age', graceMs: GRACE_MS });
    await harness.until(() => old.every(({ line }) => line.state === 'leaving'));
    await harness.until(() => upstream.line() !== undefined);
    const fresh = await Promise.all(
      old.map((stream, at) => move(stream, () => holdFor(nodes[at] as SchedulerRow))),
    );

    await harness.until(() => old.every(({ line }) => line.state === 'gone'));
    await harness.until(() => active() === 1_000 && manager.stats.connectionsOpen === 2);
    expect(manager.stats.keepAliveStreamsOpen).toBe(1_000);
    expect(manager.stats.cancelledTotal).toBe(0);
    expect(new Set(old.map(({ states }) => states.join()))).toEqual(new Set(['leaving,gone']));
    expect(fresh.every(({ line }) => line.state === 'good')).toBe(true);
    const last = nodes.map((node) => writesTo(manager, node).slice(-3).join(', '));
    expect(new Set(last)).toEqual(new Set(['active: keep-alive, inactive: half-close, active: keep-alive']));
  });

  it('that age under streams nobody moves end them at the end of the grace', async () => {
    const { nodes, manager, harness, upstream, holdFor, active } = await meet(2);
    const streams = nodes.map(holdFor);
    await harness.until(() => active() === 2);
    manager.setFault({ kind: 'connection-age', graceMs: 200 });
    for (const { ended } of streams) expect((await ended).status.code).toBe(14);
    await harness.until(() => streams.every(({ line }) => line.state === 'gone'));
    await harness.until(() => upstream.line() !== undefined);
  });

  it('are gone when it dies, and others are good when it is back; its rows are as they were', async () => {
    const { nodes, manager, harness, upstream, holdFor, active } = await meet(10);
    const streams = nodes.map(holdFor);
    await harness.until(() => active() === 10);
    await manager.stop();
    for (const { ended } of streams) expect((await ended).status.code).toBe(14);
    await harness.until(() => streams.every(({ line }) => line.state === 'gone'));
    expect(new Set(streams.map(({ states }) => states.join()))).toEqual(new Set(['gone']));
    expect(upstream.line()).toBeUndefined();
    expect(active()).toBe(10);

    const back = new Promise<void>((resolve) => upstream.watchLines(resolve));
    await manager.restart();
    await back;
    const again = nodes.map(holdFor);
    await harness.until(() => manager.stats.keepAliveStreamsOpen === 10);
    expect(again.every(({ line }) => line.state === 'good')).toBe(true);
  });

  it('are mute while it is frozen, keep their streams, and are good when it goes on', async () => {
    const clock = new ManualClock();
    const { nodes, manager, harness, upstream, holdFor, active } = await meet(2, { clock });
    const streams = nodes.map(holdFor);
    await harness.until(() => active() === 2);
    manager.setFault({ kind: 'frozen' });
    while (streams.some(({ line }) => line.state !== 'mute')) await clock.advanceAsync(1_000);
    expect(upstream.line()).toBeUndefined();

    manager.clearFault('frozen');
    // Each line is good again, or was replaced by a candidate that was answered before it.
    while (streams.some(({ line }) => line.state === 'mute')) await clock.advanceAsync(1_000);
    await Promise.all(streams.map((stream, at) => move(stream, () => holdFor(nodes[at] as SchedulerRow))));
    await harness.until(() => active() === 2);
    expect(manager.stats.cancelledTotal - cancelledProbes(manager)).toBe(0);
  });

  it('that are given up are dialled again, and what was on them may be opened there', async () => {
    const { nodes, manager, harness, upstream, holdFor, active } = await meet(1);
    const [node] = nodes as [SchedulerRow];
    const stream = holdFor(node);
    await harness.until(() => active() === 1);
    stream.line.giveUp();
    expect((await stream.ended).status.code).toBe(14);
    expect(upstream.line()).not.toBe(stream.line);
    await harness.until(() => active() === 0);
    holdFor(node);
    await harness.until(() => active() === 1);
    await harness.until(() => manager.stats.connectionsTotal === 3);
  });

  it('never carry a stream elsewhere, however often connections age while streams are opened', async () => {
    const { nodes, manager, harness, upstream } = await meet(1);
    const [node] = nodes as [SchedulerRow];
    const streams: HeldStream[] = [];
    for (let round = 0; round < 40; round++) {
      await harness.until(() => upstream.line() !== undefined);
      const [line, other] = [upstream.line(), upstream.line()];
      manager.setFault({ kind: 'connection-age', graceMs: round % 2 === 0 ? 1 : 20 });
      // While the GOAWAY is on its way, when it has come, and later.
      for (const turn of [0, 1, 2, 5]) {
        for (let n = 0; n < turn; n++) await new Promise((resolve) => setImmediate(resolve));
        for (const one of [line, other]) if (one) streams.push(hold(one, firstOf(node)));
      }
    }
    await harness.until(() => streams.every(({ line }) => line.state === 'gone'));
    for (const { ended } of streams) expect((await ended).status.code).toBe(14);
    await harness.until(() => manager.stats.keepAliveStreamsOpen === 0);
  });
});

/** Of a frozen manager, those of candidates above all. */
function cancelledProbes(manager: SimulatedManager): number {
  return manager.calls().filter(({ path, cancelled }) => cancelled && path !== KEEP_ALIVE).length;
}
