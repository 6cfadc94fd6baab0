import { constants } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { deferred } from '../support/upstream-deferred.js';
import type { ReceivedCall } from '../support/upstream-manager.js';
import { cleanUpAfterEach, setUp } from '../support/upstream-setup.js';

cleanUpAfterEach();

describe('a unary call to the manager', () => {
  it('brings the answer, who gave it, and when it was asked for', async () => {
    const { harness, upstream } = await setUp();
    const beforeMs = harness.clock.nowMs();

    const answer = await upstream.unary(harness.request('question'));

    expect(answer.reply.message?.toString()).toBe('question');
    expect(answer.reply.status).toEqual({ code: 0, message: '' });
    expect(answer.manager).toBe('0');
    expect(answer.askedAtMs).toBeGreaterThanOrEqual(beforeMs);
    expect(answer.answeredAtMs).toBeGreaterThanOrEqual(answer.askedAtMs);
    expect(harness.of('manager-answered')).toMatchObject([
      { method: 'ListSchedulers', code: 0, errorClass: undefined },
    ]);
  });

  it('that the manager refused to look at is sent again, and no oftener than twice', async () => {
    let refusals = 2;
    let asked = 0;
    const { harness, upstream } = await setUp({
      async call(call) {
        asked++;
        if (refusals-- > 0) call.stream.close(constants.NGHTTP2_REFUSED_STREAM);
        else call.answer((await call.read()) ?? Buffer.alloc(0));
      },
    });
    expect((await upstream.unary(harness.request('q'))).reply.message?.toString()).toBe('q');
    expect(asked).toBe(3);
    [refusals, asked] = [10, 0];
    const { status } = (await upstream.unary(harness.request('q'))).reply;
    expect(status).toMatchObject({
      code: 14,
      message: expect.stringContaining('before the request was sent'),
    });
    expect(asked).toBe(3);
  });

  it('carries metadata both ways, duplicates and -bin keys included, and nothing of one hop', async () => {
    let received: ReceivedCall['headers'] = {};
    const { harness, upstream } = await setUp({
      async call(call) {
        received = call.headers;
        call.respond({ 'x-head': 'h', 'x-head-bin': 'AAE', date: 'now' });
        call.send(Buffer.from('a'));
        call.end(5, 'nichts%20gefunden: %C3%A4', {
          'grpc-status-details-bin': 'CAUSAQ',
          'x-trail': ['1', '2'],
        });
      },
    });
    const metadata = {
      traceparent: '00-1-2-01',
      'x-double': ['a', 'b'],
      'x-one-bin': 'AQI=',
      'x-two-bin': 'AQ,AgM',
      'user-agent': 'someone',
      te: 'trailers',
      'grpc-timeout': '1H',
      ':authority': 'elsewhere',
    };

    const { reply } = await upstream.unary(harness.request('q', { metadata }));

    expect(received).toMatchObject({ traceparent: '00-1-2-01', 'x-double': 'a, b', 'x-one-bin': 'AQI=' });
    expect(received['x-two-bin']).toBe('AQ==, AgM=');
    expect(received['user-agent']).toMatch(/^dragonfly-manager-gateway grpc-node-js/);
    expect(received[':authority']).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(received['grpc-timeout']).toMatch(/^\d{4,5}m$/);
    expect(reply.headers).toEqual({ 'x-head': 'h', 'x-head-bin': 'AAE' });
    expect(reply.status).toEqual({ code: 5, message: 'nichts gefunden: ä' });
    expect(reply.trailers).toEqual({ 'grpc-status-details-bin': 'CAUSAQ', 'x-trail': '1, 2' });
  });

  it('sends no grpc-timeout for a request without a deadline', async () => {
    let received: ReceivedCall['headers'] = {};
    const { harness, upstream } = await setUp({
      call(call) {
        received = call.headers;
        call.answer(Buffer.alloc(0));
      },
    });

    const { reply } = await upstream.unary(harness.request('q', { deadlineMs: undefined }));

    expect(received).not.toHaveProperty('grpc-timeout');
    expect(reply.message).toEqual(Buffer.alloc(0));
  });

  it('leaves "OK without a message" as it is', async () => {
    const { harness, upstream } = await setUp({
      call(call) {
        call.respond();
        call.end(0);
      },
    });

    const { reply } = await upstream.unary(harness.request('q'));

    expect(reply).toMatchObject({ message: undefined, status: { code: 0 } });
  });

  it('takes an answer of 20 MiB', async () => {
    const large = Buffer.alloc(20 * 1024 * 1024, 'x');
    const { harness, upstream } = await setUp({ call: (call) => call.answer(large) });

    const { reply } = await upstream.unary(harness.request('q'));

    expect(reply.message?.equals(large)).toBe(true);
  });

  it('unpacks a gzip answer', async () => {
    const { harness, upstream } = await setUp({
      call(call) {
        call.respond({ 'grpc-encoding': 'gzip' });
        call.send(gzipSync('plain text'), true);
        call.end(0);
      },
    });

    const { reply } = await upstream.unary(harness.request('q'));

    expect(reply.message?.toString()).toBe('plain text');
    expect(reply.headers).toEqual({});
  });

  it('says so when the answer is in an encoding that it cannot read', async () => {
    const { harness, upstream } = await setUp({
      call(call) {
        call.respond({ 'grpc-encoding': 'snappy' });
        call.send(Buffer.from('?'), true);
        call.end(0);
      },
    });

    const { reply } = await upstream.unary(harness.request('q'));

    expect(reply.status).toMatchObject({ code: 13, message: expect.stringContaining('cannot be read') });
  });

  it('answers INTERNAL, explained, when the manager sends two messages', async () => {
    const { harness, upstream } = await setUp({
      call(call) {
        call.respond();
        call.send(Buffer.from('1'));
        call.send(Buffer.from('2'));
        call.end(0);
      },
    });

    const { reply } = await upstream.unary(harness.request('q'));

    expect(reply.message).toBeUndefined();
    expect(reply.status).toMatchObject({
      code: 13,
      message: expect.stringContaining('more than one message'),
    });
  });

  it('cancels at the manager when the caller goes', async () => {
    const atManager = deferred<ReceivedCall>();
    const { harness, upstream } = await setUp({ call: (call) => atManager.resolve(call) });
    const caller = new AbortController();
    const answer = upstream.unary(harness.request('q', { signal: caller.signal }));
    const call = await atManager.promise;

    caller.abort();

    await expect(answer).rejects.toMatchObject({ code: 'caller-cancelled' });
    expect(await call.closed()).toBe(8);
  });

  it('gives up at its deadline and cancels at the manager', async () => {
    const atManager = deferred<ReceivedCall>();
    const { harness, upstream, manager } = await setUp({ call: (call) => atManager.resolve(call) });

    const answer = upstream.unary(harness.request('q', { deadlineMs: harness.clock.nowMs() + 50 }));

    await expect(answer).rejects.toMatchObject({
      code: 'manager-timeout',
      message: expect.stringMatching(
        new RegExp(`^manager-gateway: manager 127.0.0.1:${manager.port} did not answer within \\d+ ms$`),
      ),
    });
    expect(await (await atManager.promise).closed()).toBe(8);
    expect(harness.of('manager-answered')).toMatchObject([{ code: 4, errorClass: 'transient' }]);
  });

  it('says what is wrong when nobody listens', async () => {
    const { harness, upstream, manager } = await setUp();
    await manager.kill();
    await harness.until(() => upstream.statuses()[0]?.state === 'failed');

    const { reply } = await upstream.unary(harness.request('q'));

    expect(reply.status).toEqual({
      code: 14,
      // The time is there once a probe has failed, too.
      message: expect.stringMatching(
        new RegExp(
          `^manager-gateway: manager 127.0.0.1:${manager.port}(:| has not answered since [0-9:]+Z) [(]?connection refused[)]?$`,
        ),
      ),
    });
  });

  it('queues as many as may be in flight, then refuses with the counts', async () => {
    const held: ReceivedCall[] = [];
    const { harness, upstream, manager } = await setUp(
      { call: (call) => void held.push(call) },
      { maxInFlight: 2 },
    );
    const inFlight = [1, 2].map((n) => upstream.unary(harness.request(`${n}`)));
    const leaver = new AbortController();
    const leaving = upstream.unary(harness.request('leaving', { signal: leaver.signal }));
    const late = upstream.unary(harness.request('late', { deadlineMs: harness.clock.nowMs() + 50 }));
    await harness.until(() => held.length === 2);

    await expect(upstream.unary(harness.request('too much'))).rejects.toMatchObject({
      code: 'overloaded',
      message: `manager-gateway: 2 calls in flight and 2 waiting for manager 127.0.0.1:${manager.port} (managers.maxInFlight)`,
    });
    expect(harness.of('manager-overloaded')).toHaveLength(1);

    leaver.abort();
    await expect(leaving).rejects.toMatchObject({ code: 'caller-cancelled' });
    await expect(late).rejects.toMatchObject({ code: 'manager-timeout' });
    expect(held).toHaveLength(2);

    const next = upstream.unary(harness.request('next'));
    held[0]?.answer(Buffer.from('first'));
    await harness.until(() => held.length === 3);
    for (const call of held.slice(1)) call.answer(Buffer.from('done'));
    await Promise.all([...inFlight, next]);
    expect(upstream.statuses()[0]?.inFlight).toBe(0);
  });
});
