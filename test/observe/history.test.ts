import { expect, it } from 'vitest';
import type { BreakerStateName } from '../../src/observe/events.js';
import { createHistory } from '../../src/observe/history.js';
import { ManualClock } from '../support/manual-clock.js';

it('an hour is kept in steps of five seconds: what happened in each, and how managers and breakers stood at its end', () => {
  const clock = new ManualClock();
  const breakers = new Map<string, BreakerStateName>([
    ['manager.v2.Manager/ListSchedulers', 'open'],
    ['manager.v2.Manager/ListApplications', 'closed'],
  ]);
  const history = createHistory({
    connections: () => 3,
    managers: () => [
      { address: '127.0.0.1:1', state: 'healthy', latencyMs: 1.26, readyChannels: 2 },
      { address: '127.0.0.1:2', state: 'unknown', latencyMs: undefined, readyChannels: 0 },
    ],
    breakers: () => breakers,
    clock,
  });
  history.start();
  const fault = { kind: 'manager-answered', method: 'm', manager: '0', code: 14, detail: '' } as const;
  history.subscriber({ ...fault, latencyMs: 3, errorClass: 'transient' });
  history.subscriber({ ...fault, code: 0, latencyMs: 6, errorClass: undefined });
  history.subscriber({ kind: 'call-answered', method: 'm', answer: 'stale', code: 0, durationMs: 1 });
  clock.advance(10_000);
  expect(history.samples()).toMatchObject([
    {
      attempts: 2,
      faults: 1,
      meanLatencyMs: 4.5,
      answers: { stale: 1, hit: 0 },
      connections: 3,
      channelsReady: 2,
      managers: [
        { address: '127.0.0.1:1', state: 'healthy', latencyMs: 1.3, readyChannels: 2 },
        { address: '127.0.0.1:2', state: 'unknown', latencyMs: null, readyChannels: 0 },
      ],
      breakers: { 'manager.v2.Manager/ListSchedulers': 'open' },
    },
    { attempts: 0, faults: 0, meanLatencyMs: null, answers: { stale: 0 } },
  ]);
  clock.advance(2 * 60 * 60_000);
  expect(history.samples()).toHaveLength(720);
  history.stop();
});
