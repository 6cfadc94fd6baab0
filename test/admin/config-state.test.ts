import { expect, it } from 'vitest';
import { createConfigWatch } from '../../src/admin/api/config-state.js';
import { ManualClock } from '../support/manual-clock.js';

it('what became of the configuration: read, refused, and what of it waits for a restart', () => {
  const clock = new ManualClock();
  const { subscriber, state } = createConfigWatch({ wallMs: () => clock.wallMs() });
  expect(state()).toEqual({ readAt: '2026-01-01T00:00:00.000Z', refused: null, needRestart: [] });

  clock.advance(60_000);
  subscriber({ kind: 'config-reloaded', applied: ['mode'], needRestart: ['redis.password'] });
  const read = { readAt: '2026-01-01T00:01:00.000Z', needRestart: ['redis.password'] };
  expect(state()).toEqual({ ...read, refused: null });

  clock.advance(60_000);
  subscriber({ kind: 'config-refused', detail: 'mode: found "quiet"' });
  subscriber({ kind: 'draining', connections: 0 });
  // What runs is what was read before.
  expect(state()).toEqual({
    ...read,
    refused: { at: '2026-01-01T00:02:00.000Z', detail: 'mode: found "quiet"' },
  });

  clock.advance(60_000);
  subscriber({ kind: 'config-reloaded', applied: [], needRestart: [] });
  expect(state()).toEqual({ readAt: '2026-01-01T00:03:00.000Z', refused: null, needRestart: [] });
});
