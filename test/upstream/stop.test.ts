import { describe, expect, it } from 'vitest';
import { ManualClock } from '../support/manual-clock.js';
import { TestCall } from '../support/upstream-call.js';
import type { ReceivedCall } from '../support/upstream-manager.js';
import { MuteListener } from '../support/upstream-relay.js';
import {
  cleanUpAfterEach,
  cleanUpLater,
  setUp,
  startManager,
  startUpstream,
} from '../support/upstream-setup.js';

cleanUpAfterEach();

describe('stopping', () => {
  it('lets what is in flight end, and refuses what comes after', async () => {
    const held: ReceivedCall[] = [];
    const { harness, upstream } = await setUp({ call: (call) => void held.push(call) });
    const inFlight = upstream.unary(harness.request('q'));
    await harness.until(() => held.length === 1);

    const stopped = upstream.stop(harness.clock.nowMs() + 60_000);
    const late = new TestCall();
    await expect(upstream.unary(harness.request('late'))).rejects.toMatchObject({ code: 'draining' });
    expect(await upstream.forward(late)).toEqual({ code: 14 });
    expect((await late.ended).status.message).toBe('manager-gateway: stopping');
    held[0]?.answer(Buffer.from('in time'));

    expect(String((await inFlight).reply.message)).toBe('in time');
    await stopped;
  });

  it('cancels at the deadline what has not ended', async () => {
    const clock = new ManualClock();
    const held: ReceivedCall[] = [];
    const manager = await startManager({ call: (call) => void held.push(call) });
    const harness = startUpstream({ addrs: [manager.port], maxInFlight: 2 }, { clock });
    await harness.settled();
    const patient = { deadlineMs: undefined };
    const unary = harness.upstream.unary(harness.request('q', patient));
    const other = harness.upstream.unary(harness.request('q', patient));
    const queued = harness.upstream.unary(harness.request('q', patient));
    const call = new TestCall();
    const forwarded = harness.upstream.forward(call);
    await harness.until(() => held.length === 3);

    const stopped = harness.upstream.stop(clock.nowMs() + 5_000);
    await expect(queued).rejects.toMatchObject({ code: 'draining' });
    clock.advance(5_000);

    expect((await unary).reply.status).toMatchObject({ code: 14, message: 'manager-gateway: stopping' });
    expect((await other).reply.status.code).toBe(14);
    expect(await forwarded).toEqual({ code: 14 });
    await stopped;
    await harness.until(() => manager.connections === 0);
  });

  it('leaves no timer, no socket and no open channel behind', async () => {
    const clock = new ManualClock();
    const listener = await MuteListener.start();
    cleanUpLater(() => listener.stop());
    const manager = await startManager();
    const before = handles();
    const harness = startUpstream({ addrs: [manager.port, listener.port, 1] }, { clock });
    await harness.until(
      () => listener.connectionsEver === 2 && harness.upstream.statuses()[0]?.state === 'healthy',
    );
    expect(handles()).toBeGreaterThan(before);

    await harness.upstream.stop(clock.nowMs() + 1_000);

    await harness.until(() => manager.connections === 0 && listener.sockets.size === 0);
    expect(clock.pendingTimers).toBe(0);
    await harness.until(() => handles() <= before);
    expect(harness.of('channel-closed').length).toBe(harness.of('channel-created').length);
  });

  it('before anything is known of the names ends at once', async () => {
    const resolver = { lookup: () => new Promise<never>(() => {}) };
    const clock = new ManualClock();
    const harness = startUpstream({ addrs: [{ host: 'manager' }] }, { clock, resolver });
    const waiting = harness.upstream.unary(harness.request('q'));

    await harness.upstream.stop(clock.nowMs() + 1_000);

    await expect(waiting).rejects.toMatchObject({ code: 'draining' });
    expect(clock.pendingTimers).toBe(0);
  });
});

/** Sockets of this process, both ends of loopback connections among them, servers left out. */
function handles(): number {
  return process
    .getActiveResourcesInfo()
    .filter((name) => name === 'TCPSocketWrap' || name === 'TCPConnectWrap').length;
}
