import { createClockOffset } from '../../redis/clock-offset.js';
import type { Touched } from '../../route/method-table.js';
import type { Clock } from '../../rpc/clock.js';
import type { Question } from '../../rpc/question.js';
import type { Voids } from '../voids.js';
import { EVERYTHING, LONGEST_TAG, PULSE_MARKS, type RedisExchange, type Span } from './exchange.js';
import { writtenNews } from './news.js';
import type { LookedUp } from './replies.js';

/** Writes that Redis has not been told of; beyond it they are one write to everything. */
const UNTOLD = 1_024;

/** Writes of all replicas: told to Redis, and heard from it. */
export interface SharedWrites {
  /** A write through this replica. */
  written(touched: Touched | undefined): void;
  /** What a look into Redis says of a question's tags. */
  seen(question: Question, seen: LookedUp & Span): void;
  /** A number that changes with every write through this replica; undefined while Redis has not been told of one. */
  readonly told: number | undefined;
  /** While Redis is being told: resolves when it was, or could not be. An asking that begins after a write is to come after its mark. */
  readonly telling: () => Promise<void> | undefined;
  /** Asks what was written anywhere since the last time. */
  pulse(): Promise<void>;
}

export interface SharedWritesOptions {
  readonly exchange: RedisExchange;
  readonly voids: Voids;
  readonly maxStaleMs: number;
  readonly replica: string;
  readonly clock: Clock;
}

export function createSharedWrites({ exchange, voids, ...options }: SharedWritesOptions): SharedWrites {
  const { maxStaleMs, replica, clock } = options;
  const lifetimeMs = Math.max(1, Math.floor(maxStaleMs));
  let untold = new Map<string, 'update' | 'deletion'>();
  let telling: Promise<void> | undefined;
  let count = 0;
  const offset = createClockOffset();
  let heardUs: number | undefined;
  let pulsing: Promise<void> | undefined;

  const note = ({ updates, deletes }: Touched): void => {
    for (const tag of updates) if (!untold.has(tag)) untold.set(tag, 'update');
    for (const tag of deletes) untold.set(tag, 'deletion');
    if (untold.size > UNTOLD || [...updates, ...deletes].some((tag) => tag.length > LONGEST_TAG))
      untold = new Map([[EVERYTHING, 'update']]);
  };

  /** Tells all that is untold; what Redis does not take is told at the next pulse, and is then written later, never earlier. */
  const tell = async (): Promise<void> => {
    while (untold.size > 0) {
      const batch = untold;
      untold = new Map();
      const of = (kind: string): string[] => [...batch].filter(([, k]) => k === kind).map(([tag]) => tag);
      const touched = { updates: of('update'), deletes: of('deletion') };
      if ((await exchange.mark(touched, lifetimeMs, writtenNews(replica))) !== undefined) continue;
      note(touched);
      return;
    }
  };
  const tellSoon = (): void => {
    if (telling !== undefined) return;
    const told = tell().finally(() => {
      telling = undefined;
    });
    telling = told;
  };

  /** A mark of Redis on our clock, at the latest. One from the future is of a clock that has been set back since: it orders nothing. */
  const mark = (tag: string, kind: 'update' | 'deletion', us: number, at: Span & { atUs: number }): void => {
    if (us > at.atUs) return;
    const atMs = offset.learn(at).highMs + us / 1000;
    if (tag === EVERYTHING) voids.mark(undefined, atMs);
    else
      voids.mark(kind === 'update' ? { updates: [tag], deletes: [] } : { updates: [], deletes: [tag] }, atMs);
  };

  const listen = async (): Promise<void> => {
    const pulse = await exchange.pulse(heardUs);
    if (pulse === undefined) return;
    offset.learn(pulse);
    const tooMany = pulse.written.length >= PULSE_MARKS;
    const setBack = heardUs !== undefined && pulse.atUs < heardUs;
    if (tooMany || setBack) voids.mark(undefined, clock.nowMs());
    for (const [tag, us] of pulse.written) mark(tag, 'update', us, pulse);
    for (const [tag, us] of pulse.deleted) mark(tag, 'deletion', us, pulse);
    heardUs = pulse.atUs;
    if (untold.size > 0) tellSoon();
  };

  return {
    written(touched) {
      count++;
      note(touched ?? { updates: [EVERYTHING], deletes: [] });
      tellSoon();
    },
    get told() {
      return telling !== undefined || untold.size > 0 ? undefined : count;
    },
    telling: () => telling,
    seen({ tags }, seen) {
      offset.learn(seen);
      for (const [index, tag] of [...tags, EVERYTHING].entries()) {
        const [writtenUs, deletedUs] = [seen.writtenUs[index], seen.deletedUs[index]];
        if (writtenUs !== undefined) mark(tag, 'update', writtenUs, seen);
        if (deletedUs !== undefined) mark(tag, 'deletion', deletedUs, seen);
      }
    },
    pulse() {
      pulsing ??= listen().finally(() => {
        pulsing = undefined;
      });
      return pulsing;
    },
  };
}
