import type { DiscardReason, GatewayEvent, PaceStateName, PoorerReason } from './events.js';
import { membersOf, type SeriesMaker } from './series.js';

type Measured = Extract<
  GatewayEvent,
  {
    kind:
      | 'cache-stored'
      | 'cache-discarded'
      | 'guard-held'
      | 'guard-released'
      | 'read-held-back'
      | 'pace-changed'
      | 'pace-lowered'
      | 'warmup-finished'
      | 'snapshot-written'
      | 'snapshot-failed'
      | 'snapshot-loaded';
  }
>;

const DISCARDED = membersOf<DiscardReason>({
  'asked-earlier': 0,
  'voided-by-write': 0,
  'too-large': 0,
  unreadable: 0,
});
const POORER = membersOf<PoorerReason>({
  'empty-list': 0,
  'record-not-found': 0,
  'without-cluster': 0,
  'lost-live-node': 0,
});
const PACES = membersOf<PaceStateName>({ idle: 0, away: 0, ramp: 0 });

/** What is remembered, kept warm, and written to disk. */
export function createMemoryMetrics(
  { counter }: SeriesMaker,
  readMethods: readonly string[],
): (event: Measured) => void {
  const method = readMethods;
  const stored = counter('cache_stored_total', 'Answers remembered.', { method });
  const discarded = counter('cache_discarded_total', 'Answers not remembered.', {
    method,
    reason: DISCARDED,
  });
  const held = counter('guard_held_total', 'Poorer answers that began to be held back.', {
    method,
    reason: POORER,
  });
  const released = counter('guard_released_total', 'Poorer answers that took over after their hold.', {
    method,
    reason: POORER,
  });
  const heldBack = counter(
    'reads_held_back_total',
    'Reads answered from what is remembered because a manager that is back is asked step by step.',
    { method },
  );
  const paceChanges = counter('pace_changes_total', 'Changes of the pace at which managers are asked.', {
    to: PACES,
  });
  const paceLowered = counter('pace_lowered_total', 'Times the manager asked for less during a ramp.');
  const warmed = counter('warmed_total', 'Answers asked for ahead of their callers, by result.', {
    result: ['refreshed', 'failed'],
  });
  const snapshots = counter('snapshots_total', 'Snapshots, by result.', { result: ['written', 'failed'] });
  const restored = counter(
    'snapshot_restored_entries_total',
    'Answers taken from the snapshot at the start.',
  );
  const damaged = counter('snapshot_damaged_bytes_total', 'Bytes of the snapshot that could not be used.');

  return (event) => {
    switch (event.kind) {
      case 'cache-stored':
        return stored.inc({ method: event.method });
      case 'cache-discarded':
        return discarded.inc({ method: event.method, reason: event.reason });
      case 'guard-held':
        return held.inc({ method: event.method, reason: event.reason });
      case 'guard-released':
        return released.inc({ method: event.method, reason: event.reason });
      case 'read-held-back':
        return heldBack.inc({ method: event.method });
      case 'pace-changed':
        return paceChanges.inc({ to: event.to });
      case 'pace-lowered':
        return paceLowered.inc();
      case 'warmup-finished':
        warmed.inc({ result: 'refreshed' }, event.refreshed);
        return warmed.inc({ result: 'failed' }, event.failed);
      case 'snapshot-written':
        return snapshots.inc({ result: 'written' });
      case 'snapshot-failed':
        return snapshots.inc({ result: 'failed' });
      case 'snapshot-loaded':
        restored.inc(event.entries);
        return damaged.inc(event.damagedBytes);
      default:
        return event satisfies never;
    }
  };
}
