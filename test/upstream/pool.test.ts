import { describe, expect, it } from 'vitest';
import type { Resolver } from '../../src/upstream/resolver.js';
import { ManualClock } from '../support/manual-clock.js';
import { type ReceivedCall, TestManager } from '../support/upstream-manager.js';
import { cleanUpAfterEach, cleanUpLater, startManager, startUpstream } from '../support/upstream-setup.js';

cleanUpAfterEach();

const RECORD_NOT_FOUND = (call: ReceivedCall) => call.end(13, 'record not found');

/** Answers what it is told; every lookup is counted. */
class TestResolver implements Resolver {
  ips: readonly string[] | Error = [];
  lookups = 0;

  async lookup(): Promise<readonly string[]> {
    this.lookups++;
    if (this.ips instanceof Error) throw this.ips;
    return this.ips;
  }
}

describe('among several managers', () => {
  it('healthy ones are asked in turn', async () => {
    const counts = [0, 0];
    const counting = (index: number) => (call: ReceivedCall) => {
      counts[index] = (counts[index] ?? 0) + 1;
      call.answer(Buffer.alloc(0));
    };
    const a = await startManager({ call: counting(0) });
    const b = await startManager({ call: counting(1) });
    const harness = startUpstream({ addrs: [a.port, b.port] });
    await harness.settled();

    for (let n = 0; n < 10; n++) await harness.upstream.unary(harness.request('q'));

    expect(counts).toEqual([5, 5]);
  });

  it('a dead one is ejected, and asked again when it is back', async () => {
    const a = await TestManager.start();
    const b = await startManager();
    const harness = startUpstream({ addrs: [a.port, b.port] });
    await harness.settled();

    await a.kill();
    await harness.until(() => harness.upstream.statuses()[0]?.state === 'failed');
    const answers = [];
    for (let n = 0; n < 6; n++) answers.push(await harness.upstream.unary(harness.request('q')));
    expect(answers.map(({ manager }) => manager)).toEqual(['1', '1', '1', '1', '1', '1']);
    expect(harness.upstream.healthy).toBe(true);
    expect(harness.upstream.describeTrouble()).toBeUndefined();

    const again = await TestManager.start({ port: a.port });
    cleanUpLater(() => again.kill());
    await harness.until(() => harness.upstream.statuses()[0]?.state === 'healthy');
    const [one, two] = [
      await harness.upstream.unary(harness.request('q')),
      await harness.upstream.unary(harness.request('q')),
    ];
    expect(new Set([one.manager, two.manager])).toEqual(new Set(['0', '1']));
  });

  it('a slow one is passed over', async () => {
    const clock = new ManualClock();
    const held: ReceivedCall[] = [];
    const a = await startManager({ probe: (call) => void held.push(call) });
    const b = await startManager();
    const harness = startUpstream({ addrs: [a.port, b.port] }, { clock });
    await harness.until(() => held.length === 1);
    await clock.advanceAsync(2_000);
    await harness.until(() => held.length === 2);
    await clock.advanceAsync(1_000);
    for (const call of held) RECORD_NOT_FOUND(call);
    await harness.until(() => harness.upstream.statuses()[0]?.state === 'slow');

    const answers = [];
    for (let n = 0; n < 4; n++) answers.push(await harness.upstream.unary(harness.request('q')));

    expect(answers.map(({ manager }) => manager)).toEqual(['1', '1', '1', '1']);
  });

  it('the last ones are never ejected: what fails is still asked', async () => {
    const down = (call: ReceivedCall) => call.end(13, 'dial tcp: connect: connection refused');
    const a = await startManager({ probe: down });
    const b = await startManager({ probe: down });
    const harness = startUpstream({ addrs: [a.port, b.port] });
    await harness.until(() => harness.upstream.statuses().every(({ state }) => state === 'failed'));

    const { reply } = await harness.upstream.unary(harness.request('q'));

    expect(String(reply.message)).toBe('q');
    expect(harness.upstream.healthy).toBe(false);
  });

  it('one whose places are all taken is passed over', async () => {
    const held: ReceivedCall[] = [];
    const a = await startManager({ call: (call) => void held.push(call) });
    const b = await startManager();
    const harness = startUpstream({ addrs: [a.port, b.port], maxInFlight: 1 });
    await harness.settled();
    const stuck = [
      harness.upstream.unary(harness.request('1')),
      harness.upstream.unary(harness.request('2')),
    ];
    await harness.until(() => held.length === 1 && harness.of('manager-answered').length === 1);

    const answers = [];
    for (let n = 0; n < 4; n++) answers.push(await harness.upstream.unary(harness.request('q')));

    expect(answers.every(({ manager }) => manager === '1')).toBe(true);
    held[0]?.answer(Buffer.alloc(0));
    await Promise.all(stuck);
  });
});

describe('the state of a manager', () => {
  it.each([
    ['facts', 13, 'record not found', 'healthy'],
    ['UNIMPLEMENTED of one without the method', 12, 'unknown method', 'healthy'],
    ['back-pressure', 8, 'rejected by grpc_ratelimit middleware', 'healthy'],
    ['a dead database', 13, 'invalid connection', 'failed'],
  ])('by %s', async (_, code, message, expected) => {
    const manager = await startManager({ probe: (call) => call.end(code, message) });
    const harness = startUpstream({ addrs: [manager.port] });
    await harness.settled();

    expect(harness.upstream.statuses()).toMatchObject([{ state: expected, detail: message }]);
    expect(harness.of('probe-finished')).toMatchObject([{ manager: '0', state: expected }]);
  });

  it('is asked for again soon, but not more than once a second, when calls find nobody', async () => {
    const clock = new ManualClock();
    const manager = await TestManager.start({ call: (call) => call.end(14, 'going away') });
    cleanUpLater(() => manager.kill());
    const harness = startUpstream({ addrs: [manager.port] }, { clock });
    await harness.settled();

    for (let n = 0; n < 20; n++) await harness.upstream.unary(harness.request('q'));
    expect(manager.probes).toBe(1);
    await clock.advanceAsync(1_000);
    await harness.until(() => manager.probes === 2 && harness.of('probe-finished').length === 2);
    for (let n = 0; n < 20; n++) await harness.upstream.unary(harness.request('q'));
    await clock.advanceAsync(999);

    expect(manager.probes).toBe(2);
  });

  it('is described in words, with the time when its trouble began', async () => {
    const clock = new ManualClock();
    const manager = await TestManager.start();
    const harness = startUpstream({ addrs: [manager.port] }, { clock });
    await harness.settled();
    await clock.advanceAsync(5_000);
    await manager.kill();
    await harness.until(() => harness.upstream.statuses()[0]?.readyChannels === 0);
    await harness.until(() => clock.nextTimerInMs !== undefined);
    await harness.upstream.unary(harness.request('q'));
    await harness.until(() => {
      clock.advance(1);
      return harness.upstream.statuses()[0]?.state === 'failed';
    });
    await clock.advanceAsync(60_000);

    const trouble = harness.upstream.describeTrouble();
    expect(trouble).toMatch(
      new RegExp(
        `^manager 127.0.0.1:${manager.port} has not answered since 00:00:0\\dZ \\(connection refused\\)$`,
      ),
    );
  });
});

describe('a manager behind a name', () => {
  async function startBehindName(hosts: readonly string[]) {
    const first = await startManager({ host: hosts[0] ?? '' });
    for (const host of hosts.slice(1)) await startManager({ host, port: first.port });
    return first.port;
  }

  it('with dns:/// is every address of it; one that vanishes is left gracefully, one that appears is used', async () => {
    const clock = new ManualClock();
    const held: ReceivedCall[] = [];
    const port = await startBehindName(['127.0.0.3', '127.0.0.4']);
    await startManager({ host: '127.0.0.2', port, call: (call) => void held.push(call) });
    const resolver = new TestResolver();
    resolver.ips = ['127.0.0.2', '127.0.0.3'];
    const harness = startUpstream(
      { addrs: [{ host: 'manager', port, resolve: 'every' }] },
      { clock, resolver },
    );
    await harness.until(() => harness.upstream.statuses().length === 2);
    await harness.settled();
    const patient = { deadlineMs: undefined };
    const inFlight = ['a', 'b'].map((text) => harness.upstream.unary(harness.request(text, patient)));
    await harness.until(() => held.length === 1);

    resolver.ips = ['127.0.0.3', '127.0.0.4'];
    await clock.advanceAsync(30_000);
    await harness.until(() => harness.of('channel-created').length === 6);
    await harness.settled();
    expect(harness.upstream.statuses().map(({ address }) => address)).toEqual([
      `127.0.0.3:${port}`,
      `127.0.0.4:${port}`,
    ]);
    expect(
      harness
        .of('channel-created')
        .slice(4)
        .map(({ reason }) => reason),
    ).toEqual(['address-changed', 'address-changed']);

    held[0]?.answer(Buffer.from('still answered'));
    const answers = await Promise.all(inFlight);
    expect(answers.map(({ reply }) => String(reply.message))).toContain('still answered');
    await harness.until(() => harness.of('channel-closed').length === 2);
  });

  it('keeps its addresses while the name server is in trouble', async () => {
    const clock = new ManualClock();
    const port = await startBehindName(['127.0.0.2']);
    const resolver = new TestResolver();
    resolver.ips = ['127.0.0.2'];
    const harness = startUpstream(
      { addrs: [{ host: 'manager', port, resolve: 'every' }] },
      { clock, resolver },
    );
    await harness.until(() => harness.upstream.statuses()[0]?.readyChannels === 2);

    resolver.ips = new Error('getaddrinfo EAI_AGAIN manager');
    await clock.advanceAsync(30_000);
    await harness.until(() => harness.of('resolve-failed').length > 0);

    expect((await harness.upstream.unary(harness.request('q'))).reply.status.code).toBe(0);
  });

  it('is one address, left for the next one behind the name when it fails', async () => {
    const port = await startBehindName(['127.0.0.3']);
    const resolver = new TestResolver();
    resolver.ips = ['127.0.0.2', '127.0.0.3'];
    const clock = new ManualClock();
    const harness = startUpstream({ addrs: [{ host: 'manager', port }] }, { clock, resolver });
    await harness.until(() => harness.upstream.statuses()[0]?.state === 'failed');
    await harness.until(() => {
      clock.advance(500);
      return harness.upstream.statuses()[0]?.state === 'healthy';
    });

    const { reply } = await harness.upstream.unary(harness.request('q'));

    expect(String(reply.message)).toBe('q');
    expect(harness.upstream.statuses().map(({ address }) => address)).toEqual([`127.0.0.3:${port}`]);
  });

  it('that cannot be resolved at the start is an answer UNAVAILABLE, in words; found later, it is used', async () => {
    const port = await startBehindName(['127.0.0.2']);
    const resolver = new TestResolver();
    resolver.ips = new Error('getaddrinfo ENOTFOUND manager');
    const clock = new ManualClock();
    const harness = startUpstream({ addrs: [{ host: 'manager', port }] }, { clock, resolver });

    const { reply } = await harness.upstream.unary(harness.request('q'));

    expect(reply.status).toEqual({
      code: 14,
      message: `manager-gateway: manager manager:${port} cannot be resolved since 00:00:00Z (getaddrinfo ENOTFOUND manager)`,
    });
    expect(harness.upstream.statuses()).toMatchObject([{ state: 'failed', channels: 0 }]);

    resolver.ips = ['127.0.0.2'];
    await clock.advanceAsync(1_000);
    await harness.until(() => harness.upstream.statuses()[0]?.state === 'healthy');
    expect((await harness.upstream.unary(harness.request('q'))).reply.status.code).toBe(0);
  });
});
