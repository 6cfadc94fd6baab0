import type { Emit } from '../observe/events.js';
import type { Clock, Timer } from '../rpc/clock.js';
import { onNobodysBehalf, type Read, type ReadAnswer, type ReadHandler } from '../rpc/read.js';
import { type Learned, type LearnedKey, STILL_ASKED_MS } from './learned.js';
import type { Pace } from './pace.js';

/** What is asked for on nobody's behalf. */
export type WarmKey = Pick<LearnedKey, 'question' | 'message'>;

export interface WarmerOptions {
  /** From the configuration: asked first. */
  readonly requests: readonly WarmKey[];
  readonly learned: Pick<Learned, 'mostUsed'>;
  /** The stages below the learning: a refresh is no sign that somebody wants it. */
  readonly ask: ReadHandler;
  /** Is there an answer that needs no asking? */
  readonly isFresh: (read: Read) => boolean;
  readonly managerHealthy: () => boolean;
  readonly pace: Pick<Pace, 'waitMs'>;
  readonly perSecond: number;
  readonly maxStaleMs: number;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly emit: Emit;
}

/** `off`: not started. `waiting`: for a manager that works. `warm`: all that was to be asked has been asked once. */
export type WarmState =
  | { readonly kind: 'off' | 'waiting' | 'warm' }
  | { readonly kind: 'running'; readonly done: number; readonly total: number };

export interface Warmer {
  readonly state: WarmState;
  /** Everything that an earlier process left has been loaded: the warm-up may begin. */
  start(): void;
  /** The managers' health may have changed. */
  look(): void;
  stop(): void;
}

/** Askings at one time: most of the manager is left to those who wait for an answer. */
const MAX_PENDING = 16;
/** Of a read that was held back, or failed: the ramp may have given its place to a caller. */
const MAX_TRIES = 3;
const JITTER_SHARE = 0.2;
/** Keys that need no asking are passed over so many at a stroke. */
const STROKE = 200;

/** Before another try: an asking that is under way for a caller has come back by then. */
const AGAIN_MS = 1_000;

type Item = { readonly read: Read; readonly tries: number; readonly notBeforeMs: number };

/**
 * Asks again for what callers asked for, most used first, at `warmup.rate`: at the start, and each time a manager
 * comes back.
 */
export function createWarmer(options: WarmerOptions): Warmer {
  const { clock, emit } = options;
  let state: WarmState = { kind: 'off' };
  let stopped = false;
  let timer: Timer | undefined;

  const pause = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      timer = clock.setTimer(delayMs, resolve);
    });
  const goOn = (): boolean => !stopped && options.managerHealthy();

  const run = async (reason: 'start' | 'return'): Promise<void> => {
    const items = listOf(options);
    const startedAtMs = clock.nowMs();
    const total = items.length;
    const failed: string[] = [];
    const pending = new Set<Promise<void>>();
    let done = 0;
    let skipped = 0;
    const progress = (): void => {
      done++;
      if (state.kind === 'running') state = { kind: 'running', done, total };
    };
    const askFor = async (item: Item): Promise<void> => {
      if (await refreshed(options, item.read)) return progress();
      if (item.tries + 1 < MAX_TRIES && goOn())
        items.push({ ...item, tries: item.tries + 1, notBeforeMs: clock.nowMs() + AGAIN_MS });
      else {
        failed.push(item.read.question.method);
        progress();
      }
    };
    state = { kind: 'running', done, total };
    if (total > 0) emit({ kind: 'warmup-started', reason, keys: total });
    while (goOn() && (items.length > 0 || pending.size > 0)) {
      const item = pending.size < MAX_PENDING ? items.shift() : undefined;
      if (item === undefined) {
        await Promise.race(pending);
        continue;
      }
      if (item.notBeforeMs > clock.nowMs()) await pause(item.notBeforeMs - clock.nowMs());
      if (options.isFresh(item.read)) {
        progress();
        if (++skipped % STROKE === 0) await pause(0);
      } else {
        const asking = askFor(item).finally(() => pending.delete(asking));
        pending.add(asking);
        const gapMs = (1000 / options.perSecond) * (1 + JITTER_SHARE * options.random());
        await pause(Math.max(gapMs, options.pace.waitMs()));
      }
    }
    await Promise.all(pending);
    const finished = items.length === 0;
    state = { kind: finished ? 'warm' : 'waiting' };
    if (total > 0)
      emit({
        kind: 'warmup-finished',
        finished,
        keys: total,
        refreshed: done - failed.length,
        failed: failed.length,
        durationMs: clock.nowMs() - startedAtMs,
      });
    if (!finished) look();
  };

  let started: 'start' | 'return' = 'start';
  const look = (): void => {
    if (stopped || state.kind === 'off' || state.kind === 'running') return;
    const healthy = options.managerHealthy();
    if (!healthy) {
      if (state.kind === 'warm') state = { kind: 'waiting' };
      return;
    }
    if (state.kind !== 'waiting') return;
    const reason = started;
    started = 'return';
    run(reason).catch((error: unknown) => emit({ kind: 'internal-error', where: 'warming up', error }));
  };

  return {
    get state() {
      return state;
    },
    start() {
      if (state.kind !== 'off') return;
      state = { kind: listOf(options).length === 0 ? 'warm' : 'waiting' };
      look();
    },
    look,
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

function listOf({ requests, learned, maxStaleMs }: WarmerOptions): Item[] {
  const keys: readonly WarmKey[] = [...requests, ...learned.mostUsed(Math.min(STILL_ASKED_MS, maxStaleMs))];
  const unique = new Map(keys.map((key) => [key.question.key, key]));
  return [...unique.values()].map((key) => ({ read: onNobodysBehalf(key), tries: 0, notBeforeMs: 0 }));
}

/** False: the manager did not say, and what there is, is still the answer of before. */
async function refreshed({ ask, isFresh }: WarmerOptions, read: Read): Promise<boolean> {
  let answer: ReadAnswer;
  try {
    answer = await ask(read);
  } catch {
    // Reported where it failed; here it is only one more key that is not warm.
    return false;
  }
  return answer.source !== 'stale' || isFresh(read);
}
