import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.js';
import { TestCall } from '../support/upstream-call.js';
import { deferred } from '../support/upstream-deferred.js';
import type { ReceivedCall } from '../support/upstream-manager.js';
import { cleanUpAfterEach, setUp } from '../support/upstream-setup.js';

cleanUpAfterEach();

/** An upstream, and the one call that arrives at its manager. */
async function setUpCall() {
  const arrived = deferred<ReceivedCall>();
  const all = await setUp({ call: (call) => arrived.resolve(call) });
  return { ...all, arrived: arrived.promise };
}

describe('a forwarded call', () => {
  it('of a method nobody has heard of passes, with headers, message, trailers and status', async () => {
    const { upstream, arrived } = await setUpCall();
    const call = new TestCall('/some.Service/Unknown', { 'x-a': '1', 'x-b-bin': 'AQ' });
    call.push(Buffer.from('request'));
    call.push(undefined);
    const outcome = upstream.forward(call);
    const received = await arrived;

    expect(received.path).toBe('/some.Service/Unknown');
    expect(received.headers).toMatchObject({ 'x-a': '1', 'x-b-bin': 'AQ==' });
    expect((await received.read())?.toString()).toBe('request');
    expect(await received.read()).toBeUndefined();
    received.respond({ 'x-early': 'yes' });
    expect(await call.headers).toEqual({ 'x-early': 'yes' });
    received.send(Buffer.from('answer'));
    received.end(0, '', { 'x-late': 'too' });

    expect(await call.ended).toEqual({ status: { code: 0, message: '' }, trailers: { 'x-late': 'too' } });
    expect(call.received.map(String)).toEqual(['answer']);
    expect(await outcome).toEqual({ code: 0 });
  });

  it('may be a client stream that ends OK without a message', async () => {
    const { upstream, arrived } = await setUpCall();
    const call = new TestCall();
    const outcome = upstream.forward(call);
    call.push(Buffer.from('beat'));
    const received = await arrived;
    expect((await received.read())?.toString()).toBe('beat');
    call.push(undefined);
    expect(await received.read()).toBeUndefined();

    received.respond();
    received.end(0);

    expect(await outcome).toEqual({ code: 0 });
    expect((await call.ended).status).toEqual({ code: 0, message: '' });
    expect(call.received).toEqual([]);
  });

  it('keeps 10,000 messages each way in order', async () => {
    const count = 10_000;
    const { upstream } = await setUp({
      async call(call) {
        call.respond();
        for (let m = await call.read(); m; m = await call.read()) {
          if (!call.send(m)) await new Promise((drained) => call.stream.once('drain', drained));
        }
        call.end(0);
      },
    });
    const call = new TestCall('/some.Service/Echo');
    for (let n = 0; n < count; n++) call.push(Buffer.from(String(n)));
    call.push(undefined);

    await upstream.forward(call);

    expect(call.received.map(String)).toEqual(Array.from({ length: count }, (_, n) => String(n)));
  });

  it('reads from the manager only as fast as the caller takes it', async () => {
    const { upstream, arrived } = await setUpCall();
    const call = new TestCall('/some.Service/Flood');
    const chunk = Buffer.alloc(64 * 1024);
    const held: number[] = [];
    // When the caller has taken n, all but those and what fits into the windows must still be with the manager.
    call.taking = async () => {
      await new Promise(setImmediate);
      held.push(received.stream.writableLength / chunk.length + call.received.length);
    };
    const outcome = upstream.forward(call);
    const received = await arrived;
    received.respond();
    for (let n = 0; n < 200; n++) received.send(chunk);
    received.end(0);

    expect(await outcome).toEqual({ code: 0 });
    expect(call.received).toHaveLength(200);
    expect(Math.min(...held)).toBeGreaterThan(150);
  });

  it('reads from the caller only as fast as the manager takes it', async () => {
    const { upstream, arrived } = await setUpCall();
    const call = new TestCall('/some.Service/Upload');
    const outcome = upstream.forward(call);
    const received = await arrived;
    received.stream.pause();
    const total = 200;
    for (let n = 0; n < total; n++) call.push(Buffer.alloc(64 * 1024));
    call.push(undefined);
    const ahead: number[] = [];
    received.stream.resume();
    for (let taken = 1; taken <= total; taken++) {
      await received.read();
      ahead.push(call.reads - taken);
      received.stream.pause();
      await new Promise(setImmediate);
      received.stream.resume();
    }
    received.end(0);
    await outcome;

    expect(Math.max(...ahead)).toBeLessThan(100);
  });

  it("is cancelled at the manager when the caller goes, with the caller's deadline told", async () => {
    const { harness, upstream, arrived } = await setUpCall();
    const call = new TestCall('/some.Service/Wait', {}, harness.clock.nowMs() + 60_000);
    const outcome = upstream.forward(call);
    const received = await arrived;
    expect(received.headers['grpc-timeout']).toMatch(/^(60000|59\d{3})m$/);

    call.cancel();

    expect(await received.closed()).toBe(8);
    expect(await outcome).toEqual({ code: 1 });
  });

  it('counts as late when the caller has gone because its deadline has passed', async () => {
    const { harness, upstream, arrived } = await setUpCall();
    const call = new TestCall('/some.Service/Wait', {}, harness.clock.nowMs());
    const outcome = upstream.forward(call);
    await arrived;

    call.cancel();

    expect(await outcome).toEqual({ code: 4 });
  });

  it('of a caller that is gone already does not hang', async () => {
    const { upstream } = await setUpCall();
    const call = new TestCall();
    call.cancel();

    expect(await upstream.forward(call)).toEqual({ code: 1 });
  });

  it('stops reading the caller when the manager ends it early', async () => {
    const { upstream, arrived } = await setUpCall();
    const call = new TestCall();
    const outcome = upstream.forward(call);
    call.push(Buffer.from('one'));
    const received = await arrived;
    await received.read();
    received.end(13, 'record not found');

    expect(await outcome).toEqual({ code: 13 });
    expect((await call.ended).status).toEqual({ code: 13, message: 'record not found' });
    const { reads } = call;
    call.push(Buffer.from('two'));
    await new Promise(setImmediate);
    expect(call.reads).toBe(reads);
  });

  it('ends with the reason, here and at the manager, when what the caller sends is no gRPC', async () => {
    const { upstream, arrived } = await setUpCall();
    const call = new TestCall();
    const outcome = upstream.forward(call);
    const received = await arrived;

    call.push(new GatewayError('malformed-frame', 'that is no frame'));

    expect(await outcome).toEqual({ code: 13 });
    expect((await call.ended).status).toEqual({ code: 13, message: 'that is no frame' });
    expect(await received.closed()).toBe(8);
  });

  it('passes a message that comes together with a status other than OK', async () => {
    const { upstream, arrived } = await setUpCall();
    const call = new TestCall('/some.Service/Stream');
    const outcome = upstream.forward(call);
    const received = await arrived;
    received.respond();
    received.send(Buffer.from('so far'));
    received.end(10, 'half way');

    expect(await outcome).toEqual({ code: 10 });
    expect(call.received.map(String)).toEqual(['so far']);
  });

  it('ends UNAVAILABLE when the connection breaks in the middle', async () => {
    const { manager, upstream, arrived } = await setUpCall();
    const call = new TestCall();
    const outcome = upstream.forward(call);
    await arrived;

    await manager.kill();

    expect(await outcome).toEqual({ code: 14 });
    expect((await call.ended).status.message).toContain(`manager 127.0.0.1:${manager.port}: `);
  });
});

describe('an error of the gateway itself under a forwarded call', () => {
  const BROKEN = new Error('broken');
  const TOLD = { kind: 'internal-error', where: 'ListSchedulers', error: BROKEN };
  const STATUS = { code: 14, message: 'manager-gateway: internal error; see its log' };
  const listCall = () => new TestCall('/manager.v2.Manager/ListSchedulers');

  it('is told of where reading from the caller fails', async () => {
    const { upstream, harness } = await setUpCall();
    const call = listCall();
    call.push(BROKEN);
    await upstream.forward(call);
    expect((await call.ended).status).toEqual(STATUS);
    expect(harness.of('internal-error')).toEqual([TOLD]);
  });

  it('is told of where writing to the caller fails', async () => {
    const { upstream, harness } = await setUp({ call: (call) => call.answer(Buffer.from('answer')) });
    const call = listCall();
    call.taking = () => Promise.reject(BROKEN);
    call.push(undefined);
    await upstream.forward(call);
    expect((await call.ended).status).toEqual(STATUS);
    expect(harness.of('internal-error')).toEqual([TOLD]);
  });

  it('is told of where the call cannot be begun', async () => {
    const { upstream, harness } = await setUpCall();
    const call = listCall();
    Object.defineProperty(call, 'metadata', {
      get() {
        throw BROKEN;
      },
    });
    expect(await upstream.forward(call)).toEqual({ code: 14 });
    expect((await call.ended).status).toEqual(STATUS);
    expect(harness.of('internal-error')).toEqual([TOLD]);
  });

  it('is none where the caller sent what cannot be read: that is said to him', async () => {
    const { upstream, harness } = await setUpCall();
    const call = listCall();
    call.push(new GatewayError('malformed-frame', 'no gRPC'));
    await upstream.forward(call);
    expect((await call.ended).status.message).toBe('no gRPC');
    expect(harness.of('internal-error')).toEqual([]);
  });
});
