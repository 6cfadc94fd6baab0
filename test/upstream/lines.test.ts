import { describe, expect, it } from 'vitest';
import { ManualClock } from '../support/manual-clock.js';
import { managersConfig } from '../support/upstream-harness.js';
import { hold } from '../support/upstream-held.js';
import type { ReceivedCall } from '../support/upstream-manager.js';
import { TestRelay } from '../support/upstream-relay.js';
import {
  cleanUpAfterEach,
  cleanUpLater,
  setUp,
  startManager,
  startUpstream,
} from '../support/upstream-setup.js';

cleanUpAfterEach();

/** One manager, one connection, and a stream held over it. */
async function heldStream(more: Parameters<typeof setUp>[1] = {}) {
  const held: ReceivedCall[] = [];
  const set = await setUp({ call: (call) => void held.push(call) }, { channelsPerAddr: 1, ...more });
  const stream = hold(set.upstream.line());
  await set.harness.until(() => held.length === 1);
  return { ...set, held, stream, atManager: held[0] as ReceivedCall };
}

/** As `heldStream`, through a relay that can be frozen, with time in the test's hand. */
async function relayedStream() {
  const held: ReceivedCall[] = [];
  const manager = await startManager({ call: (call) => void held.push(call) });
  const relay = await TestRelay.start(manager.port);
  cleanUpLater(() => relay.stop());
  const clock = new ManualClock();
  const harness = startUpstream({ addrs: [relay.port], channelsPerAddr: 1 }, { clock });
  await harness.settled();
  const { upstream } = harness;
  const stream = hold(upstream.line());
  await harness.until(() => held.length === 1);
  return { relay, clock, harness, upstream, stream };
}

describe('a line', () => {
  it('after a GOAWAY is leaving while its stream ends in order, and then gone; a new one is good', async () => {
    const { manager, harness, upstream, held, stream, atManager } = await heldStream();
    manager.sessions[0]?.close();
    await harness.until(() => stream.states.length === 1);
    expect(stream.line.state).toBe('leaving');

    await harness.until(() => upstream.line() !== undefined);
    const next = hold(upstream.line());
    await harness.until(() => held.length === 2);
    expect(next.line).not.toBe(stream.line);
    expect(held[1]?.session).not.toBe(atManager.session);
    void stream.call.send(Buffer.from('still here'));
    stream.call.halfClose();
    expect(String(await atManager.read())).toBe('first');
    expect(String(await atManager.read())).toBe('still here');
    expect(await atManager.read()).toBeUndefined();
    atManager.end(0);

    expect((await stream.ended).status).toEqual({ code: 0, message: '' });
    await harness.until(() => stream.line.state === 'gone');
    expect(stream.states).toEqual(['leaving', 'gone']);
    expect(next.line.state).toBe('good');
    expect(next.states).toEqual([]);
    expect(harness.of('channel-created')).toHaveLength(1);
  });

  it.each(['destroy', 'resetAndDestroy', 'end'] as const)(
    'whose connection is lost (socket.%s) is gone at once, and its stream ends UNAVAILABLE',
    async (how) => {
      const { manager, harness, upstream, stream } = await heldStream();
      for (const socket of manager.sockets) socket[how]();

      expect((await stream.ended).status).toEqual({
        code: 14,
        message: `manager-gateway: manager 127.0.0.1:${manager.port}: the connection was lost before it answered`,
      });
      await harness.until(() => stream.line.state === 'gone');
      expect(stream.states).toEqual(['gone']);
      await harness.until(() => upstream.line() !== undefined);
      expect(upstream.line()).not.toBe(stream.line);
    },
  );

  it('whose manager says GOAWAY because of an error is gone, and its stream ends UNAVAILABLE', async () => {
    const { manager, harness, stream } = await heldStream();
    manager.sessions[0]?.goaway(2);
    expect((await stream.ended).status.code).toBe(14);
    await harness.until(() => stream.line.state === 'gone');
  });

  it('that is left alone by a peer that does not close it is closed from here', async () => {
    const clock = new ManualClock();
    const { manager, harness, upstream } = await setUpWith(clock);
    const line = upstream.line();
    manager.sessions[0]?.goaway(0);
    await harness.until(() => line?.state === 'leaving' && upstream.line() !== undefined);
    clock.advance(999);
    expect(line?.state).toBe('leaving');
    clock.advance(1);
    await harness.until(() => line?.state === 'gone');
  });

  it('that is given up breaks for the manager too, ends its calls UNAVAILABLE, and is dialled again', async () => {
    const { manager, harness, upstream, held, stream, atManager } = await heldStream();
    const unary = stream.line.unary(harness.request('q'));
    const other = upstream.unary(harness.request('q'));
    await harness.until(() => held.length === 3);

    stream.line.giveUp();
    stream.line.giveUp();

    expect(stream.line.state).toBe('gone');
    expect(upstream.line()).toBeUndefined();
    expect((await stream.ended).status.code).toBe(14);
    expect((await unary).reply.status.code).toBe(14);
    expect((await other).reply.status.code).toBe(14);
    await atManager.closed();
    expect(stream.states).toEqual(['gone']);
    await harness.until(() => upstream.line() !== undefined);
    expect(manager.connectionsEver).toBe(2);
    expect(manager.connections).toBe(1);
  });

  it('without a sound is mute once a probe got no answer, then leaving when a new channel is, and can be given up', async () => {
    const { relay, clock, harness, upstream, stream } = await relayedStream();
    let told = 0;
    upstream.watchLines(() => told++);
    relay.freeze(0);

    while (stream.states.length === 0) await clock.advanceAsync(1_000);
    expect(stream.states).toEqual(['mute']);
    expect(upstream.line()).toBeUndefined();
    // Time goes slowly while the candidate connects and is asked.
    while (stream.states.length === 1) await clock.advanceAsync(10);
    expect(stream.states).toEqual(['mute', 'leaving']);
    expect(upstream.line()?.state).toBe('good');
    expect(told).toBe(1);

    stream.call.halfClose();
    stream.line.giveUp();
    expect((await stream.ended).status.code).toBe(14);
    await harness.until(() => relay.connections === 1 && harness.of('channel-closed').length === 1);
    expect(stream.states).toEqual(['mute', 'leaving', 'gone']);
    expect(upstream.line()?.state).toBe('good');
  });

  it('without a sound is mute, whatever is heard on the connection before it', async () => {
    const held: ReceivedCall[] = [];
    const manager = await startManager({ call: (call) => void held.push(call) });
    const relay = await TestRelay.start(manager.port);
    cleanUpLater(() => relay.stop());
    const clock = new ManualClock();
    const harness = startUpstream({ addrs: [relay.port], channelsPerAddr: 1 }, { clock });
    await harness.settled();
    const old = hold(harness.upstream.line());
    await harness.until(() => held.length === 1);
    held[0]?.respond();
    manager.sessions[0]?.close();
    await harness.until(() => harness.upstream.line() !== undefined && relay.connections === 2);
    const silent = hold(harness.upstream.line());
    await harness.until(() => held.length === 2);
    relay.freeze(1);

    for (let sounds = 1; silent.states.length === 0; sounds++) {
      held[0]?.send(Buffer.from('sound'));
      await harness.until(() => old.received.length === sounds);
      await clock.advanceAsync(1_000);
    }
    expect(silent.states).toEqual(['mute']);
  });

  it('to a manager that answers again is good again', async () => {
    const silent = { now: false };
    const clock = new ManualClock();
    const { harness, upstream } = await setUpWith(clock, {
      probe: (call) => (silent.now ? undefined : call.end(13, 'record not found')),
    });
    const stream = hold(upstream.line());
    let told = 0;
    upstream.watchLines(() => told++);
    silent.now = true;
    while (stream.states.length === 0) await clock.advanceAsync(1_000);
    silent.now = false;
    while (stream.states.length === 1) await clock.advanceAsync(1_000);

    expect(stream.states).toEqual(['mute', 'good']);
    expect(told).toBe(1);
    expect(upstream.line()).toBe(stream.line);
    expect(harness.upstream.statuses()[0]?.readyChannels).toBe(1);
  });

  it('of an address that the name has no more is leaving, for as long as its stream needs', async () => {
    const ips = { now: ['127.0.0.1'] };
    const held: ReceivedCall[] = [];
    const manager = await startManager({ call: (call) => void held.push(call), host: '::' });
    const clock = new ManualClock();
    const harness = startUpstream(
      { addrs: [{ host: 'managers', port: manager.port, resolve: 'every' }], channelsPerAddr: 1 },
      { clock, resolver: { lookup: () => Promise.resolve(ips.now) } },
    );
    await harness.settled();
    const stream = hold(harness.upstream.line());
    await harness.until(() => held.length === 1);
    ips.now = ['127.0.0.2'];
    while (stream.states.length === 0) await clock.advanceAsync(1_000);
    await harness.until(() => harness.upstream.line()?.address === `127.0.0.2:${manager.port}`);

    expect(stream.states).toEqual(['leaving']);
    await clock.advanceAsync(5_000);
    expect(harness.of('channel-closed')).toEqual([]);
    expect(stream.line.state).toBe('leaving');
    stream.call.halfClose();
    held[0]?.end(0);
    expect((await stream.ended).status.code).toBe(0);
    await harness.until(() => harness.of('channel-closed').length === 1);
    await harness.until(() => stream.line.state === 'gone');
  });

  it('to a manager that the configuration has no more is leaving', async () => {
    const { harness, upstream, stream, atManager } = await heldStream();
    const other = await startManager();
    upstream.setAddresses(managersConfig({ addrs: [other.port] }).addrs);
    expect(stream.states).toEqual(['leaving']);
    await harness.until(() => upstream.line()?.address === `127.0.0.1:${other.port}`);
    stream.call.halfClose();
    atManager.end(0);
    expect((await stream.ended).status.code).toBe(0);
    await harness.until(() => stream.line.state === 'gone');
  });

  it('tells whoever watches once for each change, and nobody who has stopped', async () => {
    const { manager, harness, stream } = await heldStream();
    const told = { twice: 0, never: 0 };
    const twice = () => void told.twice++;
    stream.line.watch(twice);
    stream.line.watch(twice)();
    const stop = stream.line.watch(() => void told.never++);
    stop();
    stop();
    for (const socket of manager.sockets) socket.destroy();
    await harness.until(() => stream.states.length > 0);
    expect(told).toEqual({ twice: 1, never: 0 });
  });
});

async function setUpWith(clock: ManualClock, behaviour: Parameters<typeof startManager>[0] = {}) {
  const manager = await startManager(behaviour);
  const harness = startUpstream({ addrs: [manager.port], channelsPerAddr: 1 }, { clock });
  await harness.settled();
  return { manager, harness, upstream: harness.upstream };
}
