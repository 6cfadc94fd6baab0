import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/rpc/clock.js';
import type { Status } from '../../src/rpc/status.js';
import { Channel } from '../../src/upstream/channel.js';
import { ManualClock } from '../support/manual-clock.js';
import { deferred } from '../support/upstream-deferred.js';
import { hold } from '../support/upstream-held.js';
import type { ReceivedCall } from '../support/upstream-manager.js';
import {
  cleanUpAfterEach,
  cleanUpLater,
  setUp,
  startManager,
  startUpstream,
} from '../support/upstream-setup.js';

cleanUpAfterEach();

/** Its calls wait to be answered by the test. */
async function holding(more: Parameters<typeof setUp>[1] = {}) {
  const held: ReceivedCall[] = [];
  return { held, ...(await setUp({ call: (call) => void held.push(call) }, more)) };
}

const LOST = 'the connection was lost before the request was sent';

describe('a call on a line', () => {
  it('is carried by this very connection', async () => {
    const { held, harness, upstream } = await holding({ channelsPerAddr: 2 });
    const [a, b] = [upstream.line(), upstream.line()];
    for (const round of [1, 2]) {
      hold(a, `a${round}`);
      hold(b, `b${round}`);
    }
    const asked = [a?.unary(harness.request('a3')), b?.unary(harness.request('b3'))];
    await harness.until(() => held.length === 6);

    const sessions = { a: new Set<unknown>(), b: new Set<unknown>() };
    for (const call of held) sessions[String(await call.read())[0] as 'a' | 'b'].add(call.session);
    expect([sessions.a.size, sessions.b.size]).toEqual([1, 1]);
    expect([...sessions.a][0]).not.toBe([...sessions.b][0]);
    for (const call of held) call.answer(Buffer.from('answer'));
    for (const answer of asked) expect(String((await answer)?.reply.message)).toBe('answer');
  });

  it('is a stream of any shape, headers and trailers and all, as long as it likes', async () => {
    const { held, harness, upstream } = await holding({ channelsPerAddr: 1 });
    const events: unknown[] = [];
    const line = upstream.line();
    const call = line?.open(
      '/manager.v2.Manager/Any',
      { 'x-request': 'yes' },
      {
        headers: (headers) => events.push(headers['x-headers']),
        message: (message) => {
          events.push(String(message));
          call?.requestMessage();
        },
        status: (status, trailers) => events.push(status, trailers['x-trailers']),
      },
    );
    call?.requestMessage();
    await call?.send(Buffer.from('one'));
    await call?.send(Buffer.from('two'));
    await harness.until(() => held.length === 1);
    const atManager = held[0] as ReceivedCall;
    expect(atManager.path).toBe('/manager.v2.Manager/Any');
    expect(atManager.headers['x-request']).toBe('yes');
    expect(atManager.headers['grpc-timeout']).toBeUndefined();
    expect([String(await atManager.read()), String(await atManager.read())]).toEqual(['one', 'two']);
    atManager.respond({ 'x-headers': 'h' });
    atManager.send(Buffer.from('a'));
    atManager.send(Buffer.from('b'));
    atManager.end(9, 'no', { 'x-trailers': 't' });
    await harness.until(() => events.length === 5);
    expect(events).toEqual(['h', 'a', 'b', { code: 9, message: 'no' }, 't']);
  });

  it('may be cancelled, which the manager sees', async () => {
    const { held, harness, upstream } = await holding();
    const stream = hold(upstream.line());
    await harness.until(() => held.length === 1);
    stream.call.cancel({ code: 1, message: 'no more' });
    expect((await stream.ended).status).toEqual({ code: 1, message: 'no more' });
    expect(await held[0]?.closed()).toBe(8);
    expect(stream.line.state).toBe('good');
  });

  it.each(['leaving', 'gone'] as const)(
    'that is %s ends UNAVAILABLE, and no manager sees it',
    async (state) => {
      const { held, manager, harness, upstream } = await holding({ channelsPerAddr: 1 });
      const { line } = hold(upstream.line());
      await harness.until(() => held.length === 1);
      if (state === 'leaving') manager.sessions[0]?.close();
      else line.giveUp();
      await harness.until(() => line.state === state && upstream.line() !== undefined);
      const answered = harness.of('manager-answered').length;

      const late = hold(line);
      const cancelled = hold(line);
      cancelled.call.cancel({ code: 1, message: 'never mind' });
      const asked = await line.unary(harness.request('q'));

      const status = { code: 14, message: `manager-gateway: manager 127.0.0.1:${manager.port}: ${LOST}` };
      expect((await late.ended).status).toEqual(status);
      expect((await cancelled.ended).status).toEqual({ code: 1, message: 'never mind' });
      expect(asked.reply.status).toEqual(status);
      expect(asked.manager).toBe('0');
      expect(held).toHaveLength(1);
      // Nothing is wrong with the address.
      expect(harness.of('manager-answered')).toHaveLength(answered);
    },
  );

  it('is never carried by the connection that comes after it', async () => {
    const held: ReceivedCall[] = [];
    const manager = await startManager({ call: (call) => void held.push(call) });
    const target = { ip: '127.0.0.1', port: manager.port, manager: 'm', tls: undefined };
    const up: (() => void)[] = [];
    const ready = () => new Promise<void>((resolve) => up.push(resolve));
    const firstUp = ready();
    const channel = new Channel(target, 3_000, systemClock, {
      stateChanged: (state) => (state === 'ready' ? up.shift()?.() : undefined),
      connectTimedOut: () => {},
    });
    cleanUpLater(() => channel.destroy());
    await firstUp;
    const old = channel.connection;
    const secondUp = ready();
    manager.sessions[0]?.close();
    await secondUp;
    expect(channel.connection).not.toBe(old);

    const ended = deferred<Status>();
    const listener = { headers: () => {}, message: () => {}, status: ended.resolve };
    channel.call('/a/b', {}, undefined, listener, old);

    expect(await ended.promise).toEqual({ code: 14, message: `manager-gateway: manager m: ${LOST}` });
    expect(held).toEqual([]);
  });
});

describe('a question over a line', () => {
  it('counts among the calls in flight, and waits for its place; streams do not', async () => {
    const { held, harness, upstream } = await holding({ channelsPerAddr: 1, maxInFlight: 1 });
    const line = upstream.line();
    hold(line);
    hold(line);
    await harness.until(() => held.length === 2);
    expect(upstream.statuses()[0]?.inFlight).toBe(0);
    const first = line?.unary(harness.request('1'));
    const second = line?.unary(harness.request('2'));
    const third = line?.unary(harness.request('3'));
    await expect(third).rejects.toMatchObject({ code: 'overloaded' });
    await harness.until(() => held.length === 3);
    expect(upstream.statuses()[0]?.inFlight).toBe(1);

    held[2]?.answer(Buffer.from('first'));
    expect(String((await first)?.reply.message)).toBe('first');
    await harness.until(() => held.length === 4);
    held[3]?.answer(Buffer.from('second'));
    expect(String((await second)?.reply.message)).toBe('second');
    expect(upstream.statuses()[0]?.inFlight).toBe(0);
    expect(harness.of('manager-overloaded')).toEqual([
      { kind: 'manager-overloaded', method: 'ListSchedulers' },
    ]);
  });

  it('waits no longer than a probe, whatever the deadline, and gives its place back', async () => {
    const clock = new ManualClock();
    const held: ReceivedCall[] = [];
    const manager = await startManager({ call: (call) => void held.push(call) });
    const harness = startUpstream({ addrs: [manager.port], probe: { timeoutMs: 3_000 } }, { clock });
    await harness.settled();
    const line = harness.upstream.line();
    const patient = line?.unary(harness.request('q', { deadlineMs: undefined }));
    const hasty = line?.unary(harness.request('q', { deadlineMs: clock.nowMs() + 500 }));
    const tooLate = line?.unary(harness.request('q', { deadlineMs: clock.nowMs() }));
    await expect(tooLate).rejects.toMatchObject({ code: 'manager-timeout' });
    await harness.until(() => held.length === 2);

    clock.advance(500);
    await expect(hasty).rejects.toMatchObject({ code: 'manager-timeout' });
    clock.advance(2_500);
    await expect(patient).rejects.toMatchObject({ code: 'manager-timeout' });
    expect(harness.upstream.statuses()[0]?.inFlight).toBe(0);
    expect(await held[0]?.closed()).toBe(8);
  });

  it('ends when its signal is aborted, before or after', async () => {
    const { held, harness, upstream } = await holding();
    const controller = new AbortController();
    const line = upstream.line();
    const asked = line?.unary(harness.request('q', { signal: controller.signal }));
    await harness.until(() => held.length === 1);
    controller.abort();
    await expect(asked).rejects.toMatchObject({ code: 'caller-cancelled' });
    const late = line?.unary(harness.request('q', { signal: controller.signal }));
    await expect(late).rejects.toMatchObject({ code: 'caller-cancelled' });
  });

  it('of an address that is retired while it waits for its place is not asked', async () => {
    const { held, harness, upstream } = await holding({ channelsPerAddr: 1, maxInFlight: 1 });
    const line = upstream.line();
    const first = line?.unary(harness.request('1'));
    const second = line?.unary(harness.request('2'));
    await harness.until(() => held.length === 1);
    const stopped = upstream.stop(harness.clock.nowMs() + 10_000);
    await expect(second).rejects.toMatchObject({ code: 'draining' });
    held[0]?.answer(Buffer.from('in time'));
    expect(String((await first)?.reply.message)).toBe('in time');
    await stopped;
  });
});
