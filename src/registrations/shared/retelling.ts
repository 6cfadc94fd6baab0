import type { Emit } from '../../observe/events.js';
import type { Clock, Timer } from '../../rpc/clock.js';
import type { Book, Known, Pending } from '../book.js';
import { nodeKey } from '../registration.js';
import type { RegistrationsExchange, When } from './exchange.js';

/** Tells Redis what it could not be told when it happened, or has lost. */
export interface Retelling {
  /** Resolves true once it is told; otherwise it is told when Redis is back. A later one of the same name is told in its place. */
  tell(name: string, tell: () => Promise<boolean>): Promise<boolean>;
  /** The same of what nothing in the book stands for: it is told once more to each Redis that may have forgotten it. */
  tellForGood(name: string, tell: () => Promise<boolean>): Promise<boolean>;
  /** Redis is back, or to be tried out. Never rejects. */
  retell(): Promise<void>;
  start(): void;
  stop(): void;
}

type Tell = () => Promise<boolean>;

export interface RetellingOptions {
  readonly book: Book;
  readonly exchange: Pick<RegistrationsExchange, 'audit' | 'watch' | 'usable' | 'generation'>;
  readonly put: (pending: Pending) => Promise<boolean>;
  readonly learn: (known: Known) => Promise<boolean>;
  readonly when: (known: Known) => When;
  readonly clock: Clock;
  readonly emit: Emit;
}

const MOST_UNTOLD = 4_096;
const MOST_TOLD = 4_096;
/** A Redis that is short of memory may throw away what it has; a failover may lose the newest. */
const EVERY_MS = 60_000;
const WATCH_MS = 1_000;
const AUDITED_AT_ONCE = 250;
/** One after the other all of them would take longer than others wait for it (`TOLD_WITHIN_MS`). */
const REMINDED_AT_ONCE = 64;

export function createRetelling(options: RetellingOptions): Retelling {
  const { book, exchange, clock } = options;
  const untold = new Map<string, Tell>();
  const told = new Map<string, Tell>();
  let toldOver = '';
  let running: Promise<void> | undefined;
  let again = false;
  const timers: { full?: Timer; watch?: Timer } = {};
  let stopped = false;

  const note = (notes: Map<string, Tell>, most: number, name: string, tell: Tell): void => {
    notes.delete(name);
    notes.set(name, tell);
    for (const oldest of notes.keys()) {
      if (notes.size <= most) return;
      notes.delete(oldest);
    }
  };
  const tellOnce = async (name: string, tell: Tell): Promise<boolean> => {
    // Noted first: whoever retells meanwhile finds it.
    note(untold, MOST_UNTOLD, name, tell);
    const isTold = exchange.usable && (await tell());
    if (isTold && untold.get(name) === tell) untold.delete(name);
    return isTold;
  };
  /** Before anything else: what is pending there may have been settled since. */
  const remind = async (): Promise<boolean> => {
    const { generation } = exchange;
    if (toldOver === generation) return true;
    const all = [...told.values()];
    for (let from = 0; from < all.length; from += REMINDED_AT_ONCE) {
      const some = all.slice(from, from + REMINDED_AT_ONCE);
      if (stopped || (await Promise.all(some.map((tell) => tell()))).includes(false)) return false;
    }
    toldOver = generation;
    return true;
  };

  const work = async (): Promise<void> => {
    // The one for whom nobody waits, where Redis is to be tried out.
    if ((await exchange.audit([])) === undefined) return;
    if (!(await remind())) return;
    for (const [name, tell] of untold) {
      if (stopped || !(await tell())) return;
      if (untold.get(name) === tell) untold.delete(name);
    }
    for (const pending of book.pending()) {
      if (stopped) return;
      // Settled while others were told.
      if (book.isPending(pending) && !(await options.put(pending))) return;
    }
    const known = book.allKnown();
    for (let from = 0; from < known.length; from += AUDITED_AT_ONCE) {
      const some = known.slice(from, from + AUDITED_AT_ONCE);
      // Another replica may know, and have told, only what the node was registered as before.
      const there = await exchange.audit(
        some.map((one) => ({ node: nodeKey(one.registration.node), when: options.when(one) })),
      );
      if (there === undefined) return;
      for (const one of some.filter((_, place) => there[place] === false)) {
        if (stopped || !(await options.learn(one))) return;
      }
    }
  };

  /** Asked for again while it runs, it runs again: what runs may be hanging on a connection that is gone. */
  const retell = (): Promise<void> => {
    again = running !== undefined;
    running ??= work()
      .catch((error: unknown) =>
        options.emit({ kind: 'internal-error', where: 'telling Redis of registrations', error }),
      )
      .then(() => {
        running = undefined;
        return again && !stopped ? retell() : undefined;
      });
    return running;
  };
  const beat = (): void => {
    if (stopped) return;
    timers.full = clock.setTimer(EVERY_MS, () => void retell().then(beat));
  };
  /** No connection need have ended where Redis has forgotten something. */
  const watch = async (): Promise<void> => {
    await exchange.watch();
    if (exchange.usable && exchange.generation !== toldOver) void retell();
    watchSoon();
  };
  const watchSoon = (): void => {
    if (!stopped) timers.watch = clock.setTimer(WATCH_MS, () => void watch());
  };

  return {
    tell: tellOnce,
    tellForGood(name, tell) {
      note(told, MOST_TOLD, name, tell);
      return tellOnce(name, tell);
    },
    retell,
    start() {
      beat();
      watchSoon();
    },
    stop() {
      stopped = true;
      timers.full?.cancel();
      timers.watch?.cancel();
    },
  };
}
