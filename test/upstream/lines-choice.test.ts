import { describe, expect, it } from 'vitest';
import { freePort } from '../../src/simulator/free-port.js';
import type { Line } from '../../src/upstream/line.js';
import { ManualClock } from '../support/manual-clock.js';
import { hold } from '../support/upstream-held.js';
import type { ReceivedCall } from '../support/upstream-manager.js';
import { cleanUpAfterEach, setUp, startManager, startUpstream } from '../support/upstream-setup.js';

cleanUpAfterEach();

const DOWN = { probe: (call: ReceivedCall) => call.end(13, 'dial tcp: connect: connection refused') };

function linesOf(next: () => Line | undefined, count: number): Line[] {
  return Array.from({ length: count }, () => {
    const line = next();
    if (!line) throw new Error('no line is good');
    return line;
  });
}

describe('the line that is chosen', () => {
  it('is each connection of the address in its turn, and the same object again', async () => {
    const { manager, upstream } = await setUp({}, { channelsPerAddr: 3 });
    const lines = linesOf(() => upstream.line(), 6);
    expect(new Set(lines).size).toBe(3);
    expect(lines.slice(3).every((line, at) => line === lines[at])).toBe(true);
    expect(lines[0]).toMatchObject({ manager: '0', address: `127.0.0.1:${manager.port}`, state: 'good' });
  });

  it('is rather another one than the one that is not wanted, but that rather than none', async () => {
    const { manager, upstream } = await setUp({}, { channelsPerAddr: 2 });
    const [one, other] = linesOf(() => upstream.line(), 2) as [Line, Line];
    expect(linesOf(() => upstream.line(one), 4).every((line) => line === other)).toBe(true);
    other.giveUp();
    expect(upstream.line(one)).toBe(one);
    await manager.kill();
  });

  it('is one of the healthy managers, in turn', async () => {
    const managers = [await startManager(), await startManager(), await startManager(DOWN)];
    const harness = startUpstream({ addrs: managers.map(({ port }) => port), channelsPerAddr: 1 });
    await harness.settled();
    const chosen = linesOf(() => harness.upstream.line(), 6).map(({ manager }) => manager);
    expect(chosen).toEqual(['0', '1', '0', '1', '0', '1']);
  });

  it('is rather the unwanted one of a healthy manager than one of a failed manager', async () => {
    const managers = [await startManager(), await startManager(DOWN)];
    const harness = startUpstream({ addrs: managers.map(({ port }) => port), channelsPerAddr: 1 });
    await harness.settled();
    const line = harness.upstream.line();
    expect(line?.manager).toBe('0');
    expect(harness.upstream.line(line)).toBe(line);
  });

  it('is one of a failed manager when there is nothing better', async () => {
    const { upstream } = await setUp(DOWN, { channelsPerAddr: 1 });
    expect(upstream.statuses()[0]?.state).toBe('failed');
    expect(upstream.line()?.state).toBe('good');
  });

  it('in place of one that is mute is only one that has answered since: of a frozen manager each falls silent in its turn', async () => {
    const clock = new ManualClock();
    const { manager, upstream } = await connect(clock, 2);
    const lines = linesOf(() => upstream.line(), 2);
    const told: (Line | undefined)[] = [];
    manager.behaviour.probe = () => undefined;
    while (lines.every(({ state }) => state === 'good')) await clock.advanceAsync(100);
    const mute = lines.find(({ state }) => state === 'mute') as Line;
    const other = lines.find(({ state }) => state === 'good') as Line;
    expect(upstream.line(mute)).toBeUndefined();
    // For whoever has no stream yet it is as good as any.
    expect(upstream.line()).toBe(other);

    upstream.watchLines(() => told.push(upstream.line(mute)));
    delete manager.behaviour.probe;
    while (told.length === 0) await clock.advanceAsync(100);
    expect(told[0]).toBeDefined();
    expect(told[0]).not.toBe(mute);
  });

  it('in place of a mute one of another manager, too, has answered since', async () => {
    const clock = new ManualClock();
    let draws = 0;
    const managers = [await startManager(), await startManager()] as const;
    const harness = startUpstream(
      { addrs: managers.map(({ port }) => port), channelsPerAddr: 1 },
      // So that they are not probed in step.
      { clock, random: () => (draws++ % 2) * 0.9 },
    );
    await harness.settled();
    const lines = linesOf(() => harness.upstream.line(), 2);
    // Their database is gone, for both; whose probe comes first is found to be silent first.
    for (const manager of managers) manager.behaviour.probe = () => undefined;
    while (lines.every(({ state }) => state === 'good')) await clock.advanceAsync(10);
    const mute = lines.find(({ state }) => state === 'mute') as Line;
    expect(harness.upstream.line(mute)).toBeUndefined();

    const well = managers[mute.manager === '0' ? 1 : 0];
    delete well.behaviour.probe;
    while (harness.upstream.line(mute) === undefined) await clock.advanceAsync(100);
    expect(harness.upstream.line(mute)?.manager).not.toBe(mute.manager);
  });

  it('is none while nobody is connected, and whoever watches is told when that is over', async () => {
    const port = await freePort();
    const harness = startUpstream({ addrs: [port], channelsPerAddr: 1 });
    let told = 0;
    const stop = harness.upstream.watchLines(() => told++);
    let stopped = 0;
    harness.upstream.watchLines(() => stopped++)();
    await harness.until(() => harness.upstream.statuses()[0]?.state === 'failed');
    expect(harness.upstream.line()).toBeUndefined();
    expect(told).toBe(0);

    const manager = await startManager({ port });
    await harness.until(() => harness.upstream.line() !== undefined);
    expect(told).toBe(1);
    for (const socket of manager.sockets) socket.destroy();
    await harness.until(() => told === 2);
    expect(harness.upstream.line()?.state).toBe('good');

    stop();
    for (const socket of manager.sockets) socket.destroy();
    await harness.until(() => manager.connectionsEver === 3 && harness.upstream.line() !== undefined);
    expect([told, stopped]).toEqual([2, 0]);
  });

  it('is good already for whoever is told of it', async () => {
    const { manager, harness, upstream } = await setUp({}, { channelsPerAddr: 1 });
    const seen: (string | undefined)[] = [];
    upstream.watchLines(() => seen.push(upstream.line()?.state));
    for (const socket of manager.sockets) socket.destroy();
    await harness.until(() => seen.length > 0);
    expect(seen).toEqual(['good']);
  });

  it('is none after the stop, and those that were are leaving, their streams ended at the deadline', async () => {
    const clock = new ManualClock();
    const held: ReceivedCall[] = [];
    const manager = await startManager({ call: (call) => void held.push(call) });
    const harness = startUpstream({ addrs: [manager.port] }, { clock });
    await harness.settled();
    const streams = [hold(harness.upstream.line()), hold(harness.upstream.line())];
    await harness.until(() => held.length === 2);

    const stopped = harness.upstream.stop(clock.nowMs() + 5_000);
    expect(harness.upstream.line()).toBeUndefined();
    expect(streams.map(({ line }) => line.state)).toEqual(['leaving', 'leaving']);
    streams[0]?.call.halfClose();
    for (const call of held) if ((await call.read()) && streams[0]) break;
    clock.advance(5_000);

    for (const { ended } of streams) {
      expect((await ended).status).toEqual({ code: 14, message: 'manager-gateway: stopping' });
    }
    await stopped;
    await harness.until(
      () => streams.every(({ line }) => line.state === 'gone') && manager.connections === 0,
    );
    expect(streams.map(({ states }) => states)).toEqual([
      ['leaving', 'gone'],
      ['leaving', 'gone'],
    ]);
    expect(clock.pendingTimers).toBe(0);
  });
});

async function connect(clock: ManualClock, channelsPerAddr: number) {
  const manager = await startManager();
  const harness = startUpstream({ addrs: [manager.port], channelsPerAddr }, { clock });
  await harness.settled();
  return { manager, upstream: harness.upstream };
}
