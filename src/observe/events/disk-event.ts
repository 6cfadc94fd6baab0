export type ReplayOutcome = 'applied' | 'there-already' | 'dead' | 'refused' | 'superseded' | 'later';

/** What is kept on disk, registrations first of all; those may lie in Redis, too. */
export type DiskEvent =
  // on disk
  | { kind: 'directory-unusable'; dir: string; detail: string }
  /** It could not be used before. */
  | { kind: 'directory-taken'; dir: string }
  | { kind: 'snapshot-written'; entries: number; sizeBytes: number; durationMs: number }
  | { kind: 'snapshot-failed' }
  | {
      kind: 'snapshot-loaded';
      entries: number;
      damagedBytes: number;
      ignored: number;
      newestAgeMs: number | undefined;
    }
  // registrations
  | { kind: 'journal-loaded'; known: number; pending: number; damagedBytes: number; ignored: number }
  | { kind: 'journal-failed'; detail: string }
  | { kind: 'registration-journaled'; node: 'scheduler' | 'seed-peer' }
  | { kind: 'registration-replayed'; outcome: ReplayOutcome };
