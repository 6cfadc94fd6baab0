import type { NodeId } from '../keepalive/node.js';
import type { Emit, ReplayOutcome } from '../observe/events.js';
import type { Timer } from '../rpc/clock.js';
import type { Book, Pending } from './book.js';
import type { Ledger } from './ledger.js';
import type { Life } from './life.js';
import { type MakeUpOptions, makeUp } from './make-up.js';
import { turnKey } from './registration.js';
import type { Turns } from './turns.js';

export interface Replay {
  /** A manager may be back: makes up for what is pending, if it may and there is something. */
  wake(): void;
  /** This one lives: it is the next, if it is pending. */
  alive(node: NodeId): void;
  stop(): void;
}

export interface ReplayOptions extends MakeUpOptions {
  readonly book: Book;
  readonly ledger: Ledger;
  readonly turns: Turns;
  readonly life: Life;
  readonly ratePerSecond: number;
  readonly emit: Emit;
}

/** When the manager does not answer after all, or nothing says that it is back, or that a node lives. */
const RETRY_MS = 5_000;

export function createReplay(options: ReplayOptions): Replay {
  const { book, clock, emit } = options;
  /** What is left of this pass over all that is pending; the last is the next. */
  let pass: Pending[] = [];
  let timer: Timer | undefined;
  let running = false;
  let stopped = false;
  let notBeforeMs = 0;

  const wakeIn = (delayMs: number): void => {
    timer?.cancel();
    if (!stopped && book.pending().length > 0) timer = clock.setTimer(delayMs, () => void round());
  };

  /** The next that need not wait for a sign of life. */
  const next = (): Pending | undefined => {
    for (let one = pass.pop(); one !== undefined; one = pass.pop()) {
      if (book.isPending(one) && options.life.verdict(one) !== 'wait') return one;
    }
    return undefined;
  };

  /** One registration, then the pause that `warmup.rate` asks for. */
  const round = async (): Promise<void> => {
    if (running || stopped) return;
    if (book.pending().length === 0) return options.life.rest();
    const earlyMs = notBeforeMs - clock.nowMs();
    if (earlyMs > 0) return wakeIn(earlyMs);
    if (!options.allowed()) return wakeIn(RETRY_MS);
    if (pass.length === 0) pass = book.pending().toReversed();
    const one = next();
    if (one === undefined) return wakeIn(RETRY_MS);
    running = true;
    const outcome = await settle(options, one).catch((error: unknown): ReplayOutcome => {
      emit({ kind: 'internal-error', where: 'making up for a registration', error });
      return 'later';
    });
    running = false;
    emit({ kind: 'registration-replayed', outcome });
    const pauseMs = 1_000 / options.ratePerSecond;
    notBeforeMs = clock.nowMs() + pauseMs;
    // One that the manager fails keeps none of the others waiting: it is asked for again in the next pass.
    wakeIn(outcome === 'later' ? RETRY_MS : pauseMs);
  };

  return {
    wake: () => void round(),
    alive(node) {
      const found = book.find(node);
      if (found?.kind !== 'pending') return;
      pass.push(found);
      void round();
    },
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

function settle(options: ReplayOptions, pending: Pending): Promise<ReplayOutcome> {
  const { registration } = pending;
  const { kind, clusterId, hostname } = registration.node;
  // A deletion or a newer registration of the node waits until this is over, or has been before it.
  return options.turns.take(turnKey(kind, clusterId, hostname), async () => {
    if (!options.book.isPending(pending)) return 'superseded';
    const verdict = options.life.verdict(pending);
    if (verdict === 'wait') return 'later';
    const made =
      verdict === 'dead' ? ({ kind: 'dead' } as const) : await makeUp(options, registration, 'look');
    if (made.kind === 'later') return 'later';
    await options.ledger.keep(
      made.kind === 'applied'
        ? { kind: 'known', registration, reply: made.reply }
        : { kind: 'settled', node: registration.node },
    );
    return made.kind;
  });
}
