import { describe, expect, it } from 'vitest';
import type { GatewayEvent } from '../../src/observe/events.js';
import { createLog } from '../../src/observe/log.js';
import { ManualClock } from '../support/manual-clock.js';

function logged(level = 'info') {
  const clock = new ManualClock();
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ level, clock, destination: { write: (line) => lines.push(JSON.parse(line)) } });
  return { clock, lines, log };
}

const fault: GatewayEvent = {
  kind: 'manager-answered',
  method: 'manager.v2.Manager/ListApplications',
  manager: '0',
  code: 14,
  latencyMs: 1.6,
  errorClass: 'transient',
  detail: 'connect ECONNREFUSED',
};

describe('the log', () => {
  it('says level, ts, msg, method, code and errorClass of a fault', () => {
    const { lines, log } = logged();
    log.subscriber(fault);
    expect(lines).toEqual([
      {
        level: 'warn',
        ts: '2026-01-01T00:00:00.000Z',
        msg: 'the manager failed manager.v2.Manager/ListApplications: UNAVAILABLE connect ECONNREFUSED',
        event: 'manager-answered',
        method: 'manager.v2.Manager/ListApplications',
        manager: '0',
        code: 'UNAVAILABLE',
        errorClass: 'transient',
        latencyMs: 2,
      },
    ]);
  });

  it('summarises what repeats: the first at once, the rest as one line with their number', () => {
    const { clock, lines, log } = logged();
    for (let i = 0; i < 1_000; i++) log.subscriber(fault);
    expect(lines).toHaveLength(1);
    clock.advance(10_000);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatchObject({ repeated: 999, msg: expect.stringContaining('(999 more in 10 s)') });
  });

  it('goes on summarising what goes on, one line each time, and says a single one more as such', () => {
    const { clock, lines, log } = logged();
    log.subscriber(fault);
    for (let round = 1; round <= 3; round++) {
      log.subscriber(fault);
      expect(lines).toHaveLength(round);
      clock.advance(10_000);
      expect(lines.at(-1)).toMatchObject({ repeated: 1, msg: expect.stringContaining('(1 more in 10 s)') });
    }
    clock.advance(10_000);
    expect(lines).toHaveLength(4);
    expect(clock.pendingTimers).toBe(0);
    log.subscriber(fault);
    expect(lines[4]?.repeated).toBeUndefined();
  });

  it('sums states up with the last one, however they alternate', () => {
    const { clock, lines, log } = logged();
    const breaker = { kind: 'breaker-changed', method: 'manager.v2.Manager/ListSchedulers' } as const;
    log.subscriber({ ...breaker, from: 'closed', to: 'open' });
    log.subscriber({ ...breaker, from: 'open', to: 'half-open' });
    log.subscriber({ ...breaker, from: 'half-open', to: 'closed' });
    clock.advance(10_000);
    expect(lines.map(({ to, repeated }) => [to, repeated])).toEqual([
      ['open', undefined],
      ['closed', 2],
    ]);
  });

  it('says why a manager is slow or failed in its own words, and of a healthy one only that it is', () => {
    const { clock, lines, log } = logged();
    const changed = { kind: 'address-state-changed', manager: '0', address: '127.0.0.1:65003' } as const;
    const detail = 'manager-gateway: manager 127.0.0.1:65003: connection refused';
    log.subscriber({ ...changed, from: 'unknown', to: 'healthy', detail: 'record not found' });
    clock.advance(10_000);
    log.subscriber({ ...changed, from: 'healthy', to: 'failed', detail });
    expect(lines.map(({ msg }) => msg)).toEqual([
      'manager 127.0.0.1:65003: unknown → healthy',
      'manager 127.0.0.1:65003: healthy → failed (connection refused)',
    ]);
  });

  it('does not sum up what is not alike', () => {
    const { lines, log } = logged();
    log.subscriber(fault);
    log.subscriber({ ...fault, method: 'other' });
    expect(lines).toHaveLength(2);
  });

  it('writes what is due when it is flushed, and leaves no timer', () => {
    const { clock, lines, log } = logged();
    log.subscriber(fault);
    log.subscriber(fault);
    log.flush();
    expect(lines).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
  });

  it('says nothing of a fact, and shows the stack of an error of its own', () => {
    const { lines, log } = logged();
    log.subscriber({ ...fault, errorClass: undefined });
    expect(lines).toEqual([]);
    log.subscriber({ kind: 'internal-error', where: 'a test', error: new Error('broken') });
    expect(lines[0]).toMatchObject({ level: 'error', errorClass: 'internal', err: { message: 'broken' } });
  });

  it('says of an error its name, words, stack and cause, and not what libraries hang on it', () => {
    const { lines, log } = logged();
    const error = new Error('ERR broken', { cause: new Error('the socket') });
    Object.assign(error, { code: 'E1', command: { name: 'auth', args: ['hunter2'] } });
    log.subscriber({ kind: 'internal-error', where: 'a test', error });
    expect(lines[0]?.err).toEqual({
      type: 'Error',
      message: 'ERR broken: the socket',
      stack: expect.stringContaining('caused by: Error: the socket'),
      code: 'E1',
    });
    log.subscriber({ kind: 'internal-error', where: 'elsewhere', error: 'no error at all' });
    expect(lines[1]?.err).toBe('no error at all');
  });

  it('says that lists of elsewhere are given, once and with the number, and nothing of other answers', () => {
    const { clock, lines, log } = logged();
    const method = 'manager.v2.Manager/ListSchedulers';
    for (const source of ['own', 'shared', 'sibling', 'elsewhere', 'elsewhere'] as const)
      log.subscriber({ kind: 'answer-aged', method, ageMs: 1, source });
    clock.advance(10_000);
    expect(lines.map(({ level, source, repeated }) => [level, source, repeated])).toEqual([
      ['warn', 'elsewhere', undefined],
      ['warn', 'elsewhere', 1],
    ]);
  });

  it('changes its level while it runs', () => {
    const { lines, log } = logged('error');
    log.subscriber(fault);
    expect(lines).toEqual([]);
    log.setLevel('info');
    log.subscriber(fault);
    expect(lines).toHaveLength(1);
  });
});
