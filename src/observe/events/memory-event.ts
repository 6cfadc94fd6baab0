export type DiscardReason = 'asked-earlier' | 'voided-by-write' | 'too-large' | 'unreadable';

export type PoorerReason = 'empty-list' | 'record-not-found' | 'without-cluster' | 'lost-live-node';

/** `away`: no manager answers; `ramp`: one is back, and is asked step by step. */
export type PaceStateName = 'idle' | 'away' | 'ramp';

/** What is remembered, and how it is asked for again. */
export type MemoryEvent =
  // cache
  | { kind: 'cache-stored'; method: string; sizeBytes: number }
  | { kind: 'cache-discarded'; method: string; reason: DiscardReason }
  | { kind: 'guard-held'; method: string; reason: PoorerReason }
  | { kind: 'guard-released'; method: string; reason: PoorerReason }
  // sharing: on what lists of schedulers are now known to depend
  | { kind: 'sharing-changed'; to: 'own' | 'place' | 'blocks'; detail: string }
  // warm-up, and the return of the manager
  | { kind: 'warmup-started'; reason: 'start' | 'return'; keys: number }
  | {
      kind: 'warmup-finished';
      /** False: the managers went away in the middle of it. */
      finished: boolean;
      keys: number;
      refreshed: number;
      failed: number;
      durationMs: number;
    }
  | { kind: 'pace-changed'; from: PaceStateName; to: PaceStateName }
  | { kind: 'pace-lowered'; perSecond: number }
  | { kind: 'read-held-back'; method: string };
