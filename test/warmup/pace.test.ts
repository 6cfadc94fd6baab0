import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.js';
import type { ReadAnswer } from '../../src/rpc/read.js';
import { Code } from '../../src/rpc/status.js';
import { type Bench, bench, responseOf, turn } from '../support/data-path.js';
import { ended, ok } from '../support/scripted-upstream.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const list = responseOf(LIST, { schedulers: [{ hostname: 'a', scheduler_cluster: { id: '1', name: 'c' } }] });
const refused = ended(Code.UNAVAILABLE, 'connect ECONNREFUSED');

const daemon = (n: number): object => ({ hostname: `d${n}`, ip: '127.0.0.9' });

function ask({ path, read }: Bench, n: number): Promise<ReadAnswer> {
  return path.answerRead(read('ListSchedulers', daemon(n)));
}

/** `count` daemons have their lists, an hour passes, and the manager is away. */
async function afterAnOutage(count: number, yaml = 'warmup: { rate: 20 }'): Promise<Bench> {
  const made = bench(yaml);
  made.upstream.auto = () => ok(list);
  for (let n = 0; n < count; n++) await ask(made, n);
  made.clock.advance(3_600_000);
  made.upstream.healthy = false;
  made.upstream.auto = () => refused;
  await ask(made, 0);
  expect(made.path.pace.state).toBe('away');
  return made;
}

/** Each moment at which the manager was asked while `count` daemons asked evenly over `lastMs`. */
async function storm(
  made: Bench,
  count: number,
  lastMs: number,
): Promise<{ askedAt: number[]; failed: number }> {
  const { clock, upstream } = made;
  const askedAt: number[] = [];
  const { auto } = upstream;
  upstream.auto = (request) => {
    askedAt.push(clock.nowMs());
    return auto?.(request) ?? ok(list);
  };
  let failed = 0;
  for (let n = 0; n < count; n++) {
    await ask(made, n).catch(() => failed++);
    clock.advance(lastMs / count);
  }
  return { askedAt, failed };
}

function mostInASecond(askedAt: readonly number[]): number {
  return Math.max(...askedAt.map((from) => askedAt.filter((at) => at >= from && at < from + 1_000).length));
}

describe('a manager that is back after an outage', () => {
  it('is asked at most at the rate in any second of the first ten, and everyone is answered', async () => {
    const made = await afterAnOutage(2_000);
    made.upstream.healthy = true;
    made.upstream.auto = () => ok(list);
    const { askedAt, failed } = await storm(made, 2_000, 10_000);
    expect(failed).toBe(0);
    expect(mostInASecond(askedAt)).toBeLessThanOrEqual(20);
    expect(askedAt.length).toBeGreaterThan(120);
    expect(made.of('read-held-back').length).toBeGreaterThan(1_000);
  });

  it('is asked faster and faster after that, until nobody is held back', async () => {
    const made = await afterAnOutage(2_000);
    made.upstream.healthy = true;
    made.upstream.auto = () => ok(list);
    await storm(made, 2_000, 60_000);
    made.clock.advance(5_000);
    await ask(made, 0);
    expect(made.path.pace.state).toBe('idle');
    expect(made.of('pace-changed').map(({ to }) => to)).toEqual(['away', 'ramp', 'idle']);
  });

  it('that asks for less gets half', async () => {
    const made = await afterAnOutage(500);
    made.upstream.healthy = true;
    made.upstream.auto = () => ended(Code.RESOURCE_EXHAUSTED, 'rejected by grpc_ratelimit middleware');
    const { askedAt, failed } = await storm(made, 500, 5_000);
    expect(failed).toBe(0);
    expect(askedAt.filter((at) => at > (askedAt[0] ?? 0) + 4_000).length).toBeLessThanOrEqual(3);
    expect(made.of('pace-lowered').length).toBeGreaterThanOrEqual(4);
  });

  it('is asked by the gateway for itself at the same rate, in turn with everybody else, who give way', async () => {
    const made = await afterAnOutage(2_000);
    made.upstream.healthy = true;
    made.upstream.auto = () => ok(list);
    const own: number[] = [];
    await storm(made, 200, 1_000);
    const turns = Array.from({ length: 15 }, () =>
      made.path.pace.turn().then(() => own.push(made.clock.nowMs())),
    );
    const beganMs = made.clock.nowMs();
    const { askedAt } = await storm(made, 400, 2_000);
    await Promise.all(turns);
    expect(own).toHaveLength(15);
    expect(mostInASecond([...own, ...askedAt].sort((a, b) => a - b))).toBeLessThanOrEqual(20);
    expect(askedAt.filter((at) => at < (own.at(-1) ?? 0))).toEqual([]);
    expect((own.at(-1) ?? 0) - beganMs).toBeLessThan(1_500);
  });

  it('is asked by the gateway for itself at once when nobody is held back', async () => {
    const made = bench();
    const beganMs = made.clock.nowMs();
    for (let n = 0; n < 1_000; n++) await made.path.pace.turn();
    expect(made.clock.nowMs()).toBe(beganMs);
  });

  it('is asked at once for callers without an answer, and those count', async () => {
    const made = await afterAnOutage(100);
    made.upstream.healthy = true;
    made.upstream.auto = () => ok(list);
    for (let n = 1_000; n < 1_050; n++) expect((await ask(made, n)).source).toBe('miss');
    const before = made.upstream.attempts;
    expect((await ask(made, 1)).source).toBe('stale');
    expect(made.upstream.attempts).toBe(before);
    // Not for ever, however many there were.
    made.clock.advance(1_100);
    expect((await ask(made, 1)).source).toBe('miss');
  });

  it('is asked at once for a node that has just registered, and where only an empty list is remembered', async () => {
    const made = bench('warmup: { rate: 1 }');
    const { clock, upstream, path, read } = made;
    const own = read('GetScheduler', { hostname: 's', scheduler_cluster_id: '1' });
    upstream.auto = ({ path: asked }) =>
      ok(asked === LIST ? Buffer.alloc(0) : responseOf(asked, { hostname: 's' }));
    await path.answerRead(own);
    await ask(made, 1);
    clock.advance(3_600_000);
    upstream.healthy = false;
    await ask(made, 2);
    await ask(made, 3);
    const before = upstream.attempts;
    expect((await path.answerRead(own)).source).toBe('stale');
    expect(upstream.attempts).toBe(before);
    path.written({ updates: [JSON.stringify(['scheduler', '1', 's'])], deletes: [] });
    expect((await path.answerRead(own)).source).toBe('miss');
    expect((await ask(made, 1)).source).toBe('miss');
  });
});

it('a breaker that opens is an outage, too, whatever the probes say', async () => {
  const made = bench('breaker: { volumeThreshold: 2 }\nretry: { maxAttempts: 1 }\nwarmup: { rate: 1 }');
  made.upstream.auto = () => ok(list);
  for (let n = 0; n < 5; n++) await ask(made, n);
  made.clock.advance(3_600_000);
  made.upstream.auto = () => new GatewayError('manager-timeout', 'no answer');
  for (let n = 0; n < 12; n++) {
    expect((await ask(made, n % 5)).source).toBe('stale');
    await turn();
  }
  expect(made.of('breaker-refused').length).toBeGreaterThan(0);
  expect(made.path.pace.state).toBe('away');
});

it('nothing is paced while all is well', async () => {
  const made = bench('warmup: { rate: 1 }');
  made.upstream.auto = () => ok(list);
  for (let n = 0; n < 100; n++) await ask(made, n);
  made.clock.advance(3_600_000);
  for (let n = 0; n < 100; n++) expect((await ask(made, n)).source).toBe('miss');
  expect(made.path.pace.waitMs()).toBe(0);
});
