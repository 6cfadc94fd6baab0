import { describe, expect, it } from 'vitest';
import { ManualClock } from '../support/manual-clock.js';
import type { ReceivedCall } from '../support/upstream-manager.js';
import { MuteListener, TestRelay } from '../support/upstream-relay.js';
import {
  cleanUpAfterEach,
  cleanUpLater,
  setUp,
  startManager,
  startUpstream,
} from '../support/upstream-setup.js';

cleanUpAfterEach();

describe('the connections to a manager', () => {
  it('are exactly channelsPerAddr, whatever the load, and probes use all of them', async () => {
    const probedSessions = new Set<unknown>();
    const calledSessions = new Set<unknown>();
    const clock = new ManualClock();
    const manager = await startManager({
      probe(call) {
        probedSessions.add(call.session);
        call.end(13, 'record not found');
      },
      async call(call) {
        calledSessions.add(call.session);
        call.answer((await call.read()) ?? Buffer.alloc(0));
      },
    });
    const harness = startUpstream(
      { addrs: [manager.port], channelsPerAddr: 3, maxInFlight: 1_000 },
      { clock },
    );
    await harness.settled();

    const calls = Array.from({ length: 1_000 }, (_, n) => harness.upstream.unary(harness.request(String(n))));
    const answers = await Promise.all(calls);
    for (let round = 1; round <= 3; round++) {
      const { length } = harness.of('probe-finished');
      clock.advance(10_000);
      await harness.until(() => harness.of('probe-finished').length > length);
    }

    expect(answers.map(({ reply }) => String(reply.message))).toEqual(answers.map((_, n) => String(n)));
    expect(manager.connectionsEver).toBe(3);
    expect(calledSessions.size).toBe(3);
    expect(probedSessions.size).toBe(3);
    expect(harness.of('channel-created').map(({ reason }) => reason)).toEqual(['start', 'start', 'start']);
  });

  it('are opened again at once after a GOAWAY, and what is in flight on the old one is answered', async () => {
    const held: ReceivedCall[] = [];
    const { manager, harness, upstream } = await setUp(
      { call: (call) => void held.push(call) },
      { channelsPerAddr: 1 },
    );
    const old = upstream.unary(harness.request('old'));
    await harness.until(() => held.length === 1);

    for (const session of manager.sessions) session.close();
    await harness.until(() => manager.connectionsEver === 2);
    const fresh = upstream.unary(harness.request('fresh'));
    await harness.until(() => held.length === 2);
    expect(held[1]?.session).not.toBe(held[0]?.session);
    for (const call of held) call.answer((await call.read()) ?? Buffer.alloc(0));

    expect(String((await old).reply.message)).toBe('old');
    expect(String((await fresh).reply.message)).toBe('fresh');
    expect(harness.of('channel-created')).toHaveLength(1);
  });

  it('come back by themselves after they broke', async () => {
    const { manager, harness, upstream } = await setUp();
    for (const session of manager.sessions) session.destroy();

    await harness.until(() => manager.connectionsEver === 4);
    await harness.settled();

    expect((await upstream.unary(harness.request('again'))).reply.status.code).toBe(0);
    expect(harness.of('channel-created')).toHaveLength(2);
  });

  it('that stay in the connecting are given up after connectTimeout, socket and all', async () => {
    const listener = await MuteListener.start();
    cleanUpLater(() => listener.stop());
    const clock = new ManualClock();
    const harness = startUpstream({ addrs: [listener.port], channelsPerAddr: 1 }, { clock });
    await harness.until(() => listener.connectionsEver === 1);

    clock.advance(3_000);
    await harness.until(() => listener.connectionsEver === 2);
    await harness.until(() => listener.sockets.size === 1);
    clock.advance(3_000);
    await harness.until(() => listener.connectionsEver === 3);
    await harness.until(() => listener.sockets.size === 1);

    expect(harness.of('channel-created').map(({ reason }) => reason)).toEqual([
      'start',
      'connect-timeout',
      'connect-timeout',
    ]);
    expect(harness.of('channel-closed').map(({ reason }) => reason)).toEqual([
      'connect-timeout',
      'connect-timeout',
    ]);
  });

  it('that get stuck when the manager comes back only as a listener are given up too', async () => {
    const { manager, harness, upstream } = await setUp({}, { channelsPerAddr: 1, connectTimeoutMs: 50 });
    await manager.kill();
    await harness.until(() => upstream.statuses()[0]?.state === 'failed');
    const listener = await MuteListener.start(manager.port);
    cleanUpLater(() => listener.stop());

    await harness.until(() =>
      harness.of('channel-created').some(({ reason }) => reason === 'connect-timeout'),
    );

    expect(listener.connectionsEver).toBeGreaterThan(0);
  });

  it('that are open but mute are replaced when a new one is answered, and they say nothing still', async () => {
    const manager = await startManager();
    const relay = await TestRelay.start(manager.port);
    cleanUpLater(() => relay.stop());
    const clock = new ManualClock();
    const harness = startUpstream({ addrs: [relay.port] }, { clock });
    await harness.settled();
    relay.freeze(0);
    relay.freeze(1);

    // Time goes slowly while a candidate connects and is asked, so that it cannot be late.
    for (const opened of [3, 4]) {
      while (harness.of('channel-created').length < opened) await clock.advanceAsync(1_000);
      while (harness.upstream.statuses()[0]?.readyChannels !== 2) await clock.advanceAsync(10);
    }
    const { reply } = await harness.upstream.unary(harness.request('through'));

    expect(String(reply.message)).toBe('through');
    expect(relay.connectionsEver).toBe(4);
    while (relay.connections > 2) await clock.advanceAsync(1_000); // what lingers on the frozen ones is cut off
    expect(harness.of('channel-closed').map(({ reason }) => reason)).toEqual([
      'unresponsive',
      'unresponsive',
    ]);
    await harness.until(() => harness.upstream.statuses()[0]?.state === 'healthy');
  });

  it('of which one is mute leave the address healthy, and calls use the other', async () => {
    const manager = await startManager();
    const relay = await TestRelay.start(manager.port);
    cleanUpLater(() => relay.stop());
    const clock = new ManualClock();
    const harness = startUpstream({ addrs: [relay.port] }, { clock });
    await harness.settled();
    relay.freeze(1);

    while (harness.of('channel-created').length < 3) await clock.advanceAsync(1_000);
    await harness.until(() => manager.connectionsEver === 3);
    const answers = await Promise.all(
      [1, 2, 3, 4].map((n) => harness.upstream.unary(harness.request(String(n)))),
    );

    expect(answers.every(({ reply }) => reply.status.code === 0)).toBe(true);
    expect(harness.of('address-state-changed').map(({ to }) => to)).not.toContain('failed');
  });

  it('to a frozen manager are not replaced over and over', async () => {
    const silent = { now: false };
    const clock = new ManualClock();
    const manager = await startManager({
      probe: (call) => (silent.now ? undefined : call.end(13, 'record not found')),
    });
    const harness = startUpstream({ addrs: [manager.port], channelsPerAddr: 1 }, { clock });
    await harness.settled();
    silent.now = true;

    for (let ms = 0; ms < 600_000; ms += 500) await clock.advanceAsync(500);
    const candidates = harness.of('channel-created').filter(({ reason }) => reason === 'unresponsive').length;
    silent.now = false;
    for (let n = 0; harness.upstream.statuses()[0]?.state !== 'healthy' && n < 100; n++)
      await clock.advanceAsync(1_000);

    // 10 s for the probe of each, then pauses of 10, 20, 40, 60, 60 … s: 10 in 600 s.
    expect(candidates).toBeGreaterThan(2);
    expect(candidates).toBeLessThanOrEqual(11);
    await harness.until(() => harness.of('channel-closed').length === candidates);
    expect(harness.upstream.statuses()).toMatchObject([{ state: 'healthy', channels: 1, readyChannels: 1 }]);
  });
});
