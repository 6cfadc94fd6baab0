import { describe, expect, it } from 'vitest';
import { Code } from '../../src/rpc/status.js';
import { createWarmer, type Warmer } from '../../src/warmup/warmer.js';
import { type Bench, bench, responseOf } from '../support/data-path.js';
import { ended, ok } from '../support/scripted-upstream.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const list = responseOf(LIST, { schedulers: [{ hostname: 'a', scheduler_cluster: { id: '1', name: 'c' } }] });
const RATE = 10;

function warmerOf(made: Bench, requests: Parameters<typeof createWarmer>[0]['requests'] = []): Warmer {
  const { path, upstream, clock, events } = made;
  return createWarmer({
    requests,
    learned: path.learned,
    ask: path.answerBehind,
    isFresh: path.isFresh,
    managerHealthy: () => upstream.healthy,
    pace: path.pace,
    perSecond: RATE,
    maxStaleMs: 72 * 3_600_000,
    clock,
    random: () => 0.5,
    emit: (event) => events.push(event),
  });
}

/** `count` daemons have asked, the last of them most often, and an hour has passed. */
async function anHourAfter(count: number, yaml = ''): Promise<Bench> {
  const made = bench(yaml);
  made.upstream.auto = () => ok(list);
  for (let n = 0; n < count; n++) {
    const read = made.read('ListSchedulers', { hostname: `d${n}`, ip: '127.0.0.9' });
    for (let times = 0; times <= n; times++) await made.path.answerRead(read);
  }
  made.clock.advance(3_600_000);
  made.upstream.attempts = 0;
  return made;
}

/** Host names that the manager is asked for from now on, with the time since now. */
function watch({ upstream, clock, path }: Bench): { at: number; name: string }[] {
  const seen: { at: number; name: string }[] = [];
  const names = new Map(
    path.learned
      .mostUsed(Number.POSITIVE_INFINITY)
      .map(({ message, question }) => [
        message.toString('base64'),
        question.parts.find((part) => /^d\d+$/.test(part)) ?? '',
      ]),
  );
  const startMs = clock.nowMs();
  const { auto } = upstream;
  upstream.auto = (request) => {
    seen.push({
      at: clock.nowMs() - startMs,
      name: names.get(request.message.toString('base64')) ?? 'other',
    });
    return auto?.(request) ?? ok(list);
  };
  return seen;
}

describe('the warm-up', () => {
  it('asks for what was asked for, most used first, at the rate, and then it is warm', async () => {
    const made = await anHourAfter(30);
    const seen = watch(made);
    const warmer = warmerOf(made);
    warmer.start();
    await made.clock.advanceAsync(1_000);
    expect(seen.length).toBeLessThanOrEqual(RATE);
    expect(seen.map(({ name }) => name).slice(0, 3)).toEqual(['d29', 'd28', 'd27']);
    expect(warmer.state).toMatchObject({ kind: 'running', total: 30 });
    await made.clock.advanceAsync(4_000);
    expect(seen).toHaveLength(30);
    expect(warmer.state.kind).toBe('warm');
    expect(made.of('warmup-finished')).toEqual([
      expect.objectContaining({ finished: true, keys: 30, refreshed: 30, failed: 0 }),
    ]);
  });

  it('asks the questions of the configuration first, once each', async () => {
    const made = await anHourAfter(3);
    const seen = watch(made);
    const [first] = made.path.learned.mostUsed(Number.POSITIVE_INFINITY);
    const other = made.read('GetScheduler', { hostname: 's', scheduler_cluster_id: '1' });
    warmerOf(made, [other, { question: first?.question ?? other.question, message: other.message }]).start();
    await made.clock.advanceAsync(2_000);
    expect(seen.map(({ name }) => name)).toEqual(['other', 'd2', 'd1', 'd0']);
  });

  it('passes over what is fresh, and what nobody has asked for within a day', async () => {
    const made = await anHourAfter(3);
    made.clock.advance(23.5 * 3_600_000);
    await made.path.answerRead(made.read('ListSchedulers', { hostname: 'd9', ip: '127.0.0.9' }));
    const before = made.upstream.attempts;
    const warmer = warmerOf(made);
    warmer.start();
    await made.clock.advanceAsync(1_000);
    expect(warmer.state.kind).toBe('warm');
    expect(made.upstream.attempts).toBe(before);
  });

  it('learns nothing from its own asking', async () => {
    const made = await anHourAfter(2);
    const weights = () => made.path.learned.mostUsed(Number.POSITIVE_INFINITY).map(({ weight }) => weight);
    const before = weights();
    warmerOf(made).start();
    await made.clock.advanceAsync(2_000);
    expect(made.upstream.attempts).toBe(2);
    expect(weights()).toEqual(before);
  });

  it('waits for a manager that works, and begins anew when it goes away in the middle', async () => {
    const made = await anHourAfter(20);
    const seen = watch(made);
    made.upstream.healthy = false;
    const warmer = warmerOf(made);
    warmer.start();
    await made.clock.advanceAsync(5_000);
    expect([warmer.state.kind, seen.length]).toEqual(['waiting', 0]);
    made.upstream.healthy = true;
    warmer.look();
    await made.clock.advanceAsync(600);
    made.upstream.healthy = false;
    await made.clock.advanceAsync(2_000);
    expect(warmer.state.kind).toBe('waiting');
    const inFirst = seen.length;
    expect(inFirst).toBeLessThan(20);
    made.upstream.healthy = true;
    warmer.look();
    await made.clock.advanceAsync(5_000);
    expect(warmer.state.kind).toBe('warm');
    expect(seen).toHaveLength(20);
    expect(made.of('warmup-finished').map(({ finished }) => finished)).toEqual([false, true]);
    expect(made.of('warmup-started').map(({ reason }) => reason)).toEqual(['start', 'return']);
  });

  it('begins again each time a manager comes back', async () => {
    const made = await anHourAfter(5);
    const warmer = warmerOf(made);
    warmer.start();
    await made.clock.advanceAsync(3_000);
    made.upstream.healthy = false;
    warmer.look();
    made.clock.advance(3_600_000);
    made.upstream.healthy = true;
    warmer.look();
    await made.clock.advanceAsync(3_000);
    expect(made.upstream.attempts).toBe(10);
  });

  it('gives up on an answer after three tries, and says so', async () => {
    const made = await anHourAfter(2, 'retry: { maxAttempts: 1 }\nbreaker: { volumeThreshold: 1000 }');
    made.upstream.auto = () => ended(Code.UNAVAILABLE, 'gone');
    const warmer = warmerOf(made);
    warmer.start();
    await made.clock.advanceAsync(10_000);
    expect(made.upstream.attempts).toBe(6);
    expect(warmer.state.kind).toBe('warm');
    expect(made.of('warmup-finished')[0]).toMatchObject({ refreshed: 0, failed: 2 });
  });

  it('with nothing to ask is warm at once', () => {
    const warmer = warmerOf(bench());
    warmer.start();
    expect(warmer.state.kind).toBe('warm');
  });

  it('stops when it is told to', async () => {
    const made = await anHourAfter(20);
    const warmer = warmerOf(made);
    warmer.start();
    await made.clock.advanceAsync(500);
    warmer.stop();
    const { attempts } = made.upstream;
    await made.clock.advanceAsync(5_000);
    expect(made.upstream.attempts).toBe(attempts);
    expect(made.clock.pendingTimers).toBe(0);
  });
});
