import type { Emit } from '../../observe/events.js';
import type { Clock, Timer } from '../../rpc/clock.js';
import type { Book, Known, Pending } from '../book.js';
import { nodeKey } from '../registration.js';
import type { RegistrationsExchange, When } from './exchange.js';

/** Tells Redis what it could not be told when it happened, or has lost. */
export interface Retelling {
  /** Resolves true once it is told; otherwise it is told when Redis is back. A later one of the same name is told in its place. */
  tell(name: string, tell: () => Promise<boolean>): Promise<boolean>;
  /** Redis is back, or to be tried out. Never rejects. */
  retell(): Promise<void>;
  start(): void;
  stop(): void;
}

export interface RetellingOptions {
  readonly book: Book;
  readonly exchange: Pick<RegistrationsExchange, 'audit' | 'usable'>;
  readonly put: (pending: Pending) => Promise<boolean>;
  readonly learn: (known: Known) => Promise<boolean>;
  readonly when: (known: Known) => When;
  readonly clock: Clock;
  readonly emit: Emit;
}

const MOST_UNTOLD = 4_096;
/** A Redis that is short of memory may throw away what it has; a failover may lose the newest. */
const EVERY_MS = 60_000;
const AUDITED_AT_ONCE = 250;

export function createRetelling(options: RetellingOptions): Retelling {
  const { book, exchange, clock } = options;
  const untold = new Map<string, () => Promise<boolean>>();
  let running: Promise<void> | undefined;
  let again = false;
  let timer: Timer | undefined;
  let stopped = false;

  const note = (name: string, tell: () => Promise<boolean>): void => {
    untold.delete(name);
    untold.set(name, tell);
    for (const oldest of untold.keys()) {
      if (untold.size <= MOST_UNTOLD) return;
      untold.delete(oldest);
    }
  };

  const work = async (): Promise<void> => {
    // The one for whom nobody waits, where Redis is to be tried out.
    if ((await exchange.audit([])) === undefined) return;
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
    timer = clock.setTimer(EVERY_MS, () => void retell().then(beat));
  };

  return {
    async tell(name, tell) {
      // Noted first: whoever retells meanwhile finds it.
      note(name, tell);
      const told = exchange.usable && (await tell());
      if (told && untold.get(name) === tell) untold.delete(name);
      return told;
    },
    retell,
    start: beat,
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}
