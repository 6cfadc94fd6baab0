import { expect, it } from 'vitest';
import { ConnectionLimits } from '../../src/downstream/connection-limits.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import { ManualClock } from '../support/manual-clock.js';
import { USUAL } from './harness.js';

function limitsOf(afterCut: boolean, clock: ManualClock, events: GatewayEvent[]): ConnectionLimits {
  return new ConnectionLimits({
    limits: USUAL,
    afterCut,
    clock,
    emit: (event) => events.push(event),
  });
}

function askedUntilRefused(of: ConnectionLimits): number {
  for (let asked = 0; ; asked++) if (of.count('asking') !== undefined) return asked;
}

it('a fleet behind one connection may ask for ten seconds at once', () => {
  expect(askedUntilRefused(limitsOf(false, new ManualClock(), []))).toBe(2_000);
});

it('who comes from where one has just been cut off asks no more than is fair right away, and goes on at the full rate', () => {
  const [clock, events]: [ManualClock, GatewayEvent[]] = [new ManualClock(), []];
  const after = limitsOf(true, clock, events);
  expect(askedUntilRefused(after)).toBe(40);
  expect(events).toMatchObject([{ kind: 'limit-reached', limit: 'asking' }]);
  clock.advance(100);
  expect(askedUntilRefused(after)).toBe(20);
});
