import type { NodeId } from '../keepalive/node.js';
import type { Emit, ReplayOutcome } from '../observe/events.js';
import type { Timer } from '../rpc/clock.js';
import type { Book, Pending } from './book.js';
import type { Ledger } from './ledger.js';
import type { Life } from './life.js';
import { type MakeUpOptions, makeUp } from './make-up.js';
import { turnKey } from './registration.js';
import type { SharedRegistrations } from './shared/shared-registrations.js';
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
  readonly shared: Pick<SharedRegistrations, 'claim' | 'pending' | 'enabled'>;
  /** Is what other replicas have acknowledged to be made up for here, too? */
  readonly forOthers: () => boolean;
  readonly turns: Turns;
  readonly life: Life;
  readonly ratePerSecond: number;
  readonly emit: Emit;
}

/** When the manager does not answer after all, or nothing says that it is back, or that a node lives, or what others have acknowledged. */
const RETRY_MS = 5_000;

export function createReplay(options: ReplayOptions): Replay {
  const { book, shared, clock, emit } = options;
  /** What is left of this pass over all that is pending; the last is the next. */
  let pass: Pending[] = [];
  let timer: Timer | undefined;
  let running = false;
  let stopped = false;
  let notBeforeMs = 0;

  const wakeIn = (delayMs: number): void => {
    timer?.cancel();
    if (stopped || (book.pending().length === 0 && !shared.enabled)) return;
    timer = clock.setTimer(delayMs, () => void round());
  };

  /** Own ones first: of those that both say, the one that claims first settles the other. */
  const refill = async (): Promise<void> => {
    const others = options.forOthers() ? await shared.pending() : [];
    pass = [...book.pending(), ...others.filter((one) => !book.isPending(one))].reverse();
    if (pass.length === 0) options.life.rest();
  };

  /** The next that need not wait for a sign of life. */
  const next = (): Pending | undefined => {
    for (let one = pass.pop(); one !== undefined; one = pass.pop()) {
      if (options.life.verdict(one) !== 'wait') return one;
    }
    return undefined;
  };

  /** One registration, then the pause that `warmup.rate` asks for. */
  const step = async (): Promise<number> => {
    if (pass.length === 0) await refill();
    const one = next();
    if (one === undefined || stopped) return RETRY_MS;
    const outcome = await settle(options, one).catch((error: unknown): ReplayOutcome => {
      emit({ kind: 'internal-error', where: 'making up for a registration', error });
      return 'later';
    });
    if (outcome === undefined) return pass.length === 0 ? RETRY_MS : 0;
    emit({ kind: 'registration-replayed', outcome });
    const pauseMs = 1_000 / options.ratePerSecond;
    notBeforeMs = clock.nowMs() + pauseMs;
    // One that the manager fails keeps none of the others waiting: it is asked for again in the next pass.
    return outcome === 'later' ? RETRY_MS : pauseMs;
  };

  const round = async (): Promise<void> => {
    if (running || stopped) return;
    const earlyMs = notBeforeMs - clock.nowMs();
    if (earlyMs > 0) return wakeIn(earlyMs);
    if (!options.allowed()) return wakeIn(RETRY_MS);
    running = true;
    const pauseMs = await step().finally(() => {
      running = false;
    });
    wakeIn(pauseMs);
  };

  return {
    wake: () => void round(),
    alive(node) {
      const found = book.find(node);
      if (found?.kind === 'pending') pass.push(found);
      // It may be another replica that has acknowledged it.
      if (found?.kind === 'pending' || shared.enabled) void round();
    },
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

/** undefined: another replica sees to it, or has. */
function settle(options: ReplayOptions, pending: Pending): Promise<ReplayOutcome | undefined> {
  const { book, ledger } = options;
  const { kind, clusterId, hostname } = pending.registration.node;
  // A deletion or a newer registration of the node waits until this is over, or has been before it.
  return options.turns.take(turnKey(kind, clusterId, hostname), async () => {
    const claimed = await options.shared.claim(pending);
    switch (claimed.kind) {
      case 'ours':
        try {
          return await settleInTurn(options, pending, () => !claimed.turn.lost);
        } finally {
          claimed.turn.release();
        }
      case 'alone':
        // Those of others are theirs while nobody can say who sees to them.
        return book.isPending(pending) ? settleInTurn(options, pending, () => true) : undefined;
      case 'superseded':
        if (!book.isPending(pending)) return undefined;
        await ledger.forget(pending);
        return 'superseded';
      case 'busy':
        return undefined;
      default:
        return claimed satisfies never;
    }
  });
}

async function settleInTurn(
  options: ReplayOptions,
  pending: Pending,
  isTurn: () => boolean,
): Promise<ReplayOutcome> {
  const verdict = options.life.verdict(pending);
  if (verdict === 'wait') return 'later';
  // Until it is sent, the node may leave.
  const allowed = (): boolean => options.allowed() && isTurn() && options.life.verdict(pending) === 'alive';
  const made =
    verdict === 'dead'
      ? ({ kind: 'dead' } as const)
      : await makeUp({ ...options, allowed }, pending.registration, 'look');
  if (made.kind === 'later') return 'later';
  await options.ledger.settle(pending, made.kind === 'applied' ? made.reply : undefined);
  return made.kind;
}
