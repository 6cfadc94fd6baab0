import type { Emit } from '../observe/events.js';
import type { Reply } from '../rpc/call.js';
import type { Clock, Timer } from '../rpc/clock.js';
import type { Book, Known, Pending } from './book.js';
import type { Journal } from './journal.js';
import type { JournalRecord } from './record.js';
import type { Deletion, Registration } from './registration.js';
import type { SharedRegistrations } from './shared/shared-registrations.js';

/** Where registrations are written down: in the book, on disk, and in Redis, each as far as there is one. */
export interface Ledger {
  /** Is there a place that outlives the process? Without one nothing may be acknowledged. */
  readonly lasting: boolean;
  /** Resolves once it will outlive the process. Rejects if it will not: then it must not be acknowledged. */
  acknowledge(pending: Pending): Promise<void>;
  /** Resolves once no replica brings back what it names. Rejects if a restart of this one might. */
  bury(deletion: Deletion): Promise<void>;
  /**
   * The manager, asked at `askedAtMs`, has taken it. Known at once. `shared`: replicas know it, or cannot; `all`: so does the disk. What cannot be written costs
   * at most that something is done once more. Neither rejects.
   */
  learn(registration: Registration, reply: Reply, askedAtMs: number): Record<'shared' | 'all', Promise<void>>;
  /** It needs no making up for any more, whoever acknowledged it; `reply`: because the manager has taken it. Never rejects. */
  settle(pending: Pending, reply: Reply | undefined): Promise<void>;
  /** As another replica knows, it is settled, or replaced by a newer one. Never rejects. */
  forget(pending: Pending): Promise<void>;
}

export interface LedgerOptions {
  readonly book: Book;
  readonly journal: Journal;
  readonly shared: SharedRegistrations;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** Where one place has it, the other one is waited for so long: both are better, but one that hangs must not cost the acknowledgement. */
const OTHER_PLACE_MS = 500;

export function createLedger({ book, journal, shared, clock, emit }: LedgerOptions): Ledger {
  const failed = (error: unknown): false => {
    emit({ kind: 'journal-failed', detail: error instanceof Error ? error.message : String(error) });
    return false;
  };
  const onDisk = (record: JournalRecord, wanted: () => boolean): Promise<boolean> =>
    journal.isOpen ? journal.append(record, wanted).then(() => true, failed) : Promise.resolve(false);

  /** In the book as soon as it lasts; once and no more, however late the disk is. */
  const inBookOnceItLasts = async (record: Pending | Extract<JournalRecord, { kind: 'deleted' }>) => {
    let inBook = false;
    const enter = (): boolean => {
      const isFirst = !inBook;
      inBook = true;
      return isFirst;
    };
    const inRedis = record.kind === 'pending' ? shared.put(record) : shared.bury(record.deletion);
    const lasts = await either(clock, onDisk(record, enter), inRedis);
    if (lasts && enter()) book.apply(record);
    return lasts;
  };
  /** It is in the book already. */
  const alsoOnDisk = async (record: JournalRecord): Promise<void> => {
    await onDisk(record, () => false);
  };

  return {
    get lasting() {
      return journal.isOpen || shared.usable;
    },
    async acknowledge(pending) {
      if (!(await inBookOnceItLasts(pending))) throw new Error('neither the disk nor Redis could take it');
    },
    async bury(deletion) {
      const record = { kind: 'deleted', deletion } as const;
      const mustLast = journal.isOpen;
      if (await inBookOnceItLasts(record)) return;
      if (mustLast) throw new Error('neither the disk nor Redis could take it');
      // Here nothing is pending that would outlive the process.
      book.apply(record);
    },
    learn(registration, reply, askedAtMs) {
      const known: Known = { kind: 'known', registration, reply };
      book.apply(known);
      const told = shared.learn(known, askedAtMs);
      return { shared: told, all: Promise.all([told, alsoOnDisk(known)]).then(() => undefined) };
    },
    async settle(pending, reply) {
      const { registration } = pending;
      const known: Known | undefined = reply && { kind: 'known', registration, reply };
      const record: JournalRecord | undefined =
        known ?? (book.isPending(pending) ? { kind: 'settled', node: registration.node } : undefined);
      if (record !== undefined) book.apply(record);
      await Promise.all([shared.settle(pending, known), record && alsoOnDisk(record)]);
    },
    async forget(pending) {
      if (!book.isPending(pending)) return;
      const record = { kind: 'settled', node: pending.registration.node } as const;
      book.apply(record);
      await alsoOnDisk(record);
    },
  };
}

/** Has it come true in one of two places? Neither rejects. */
async function either(clock: Clock, one: Promise<boolean>, other: Promise<boolean>): Promise<boolean> {
  let timer: Timer | undefined;
  const patience = new Promise<true>((resolve) => {
    const start = (came: boolean): void => {
      if (came && timer === undefined) timer = clock.setTimer(OTHER_PLACE_MS, () => resolve(true));
    };
    void one.then(start);
    void other.then(start);
  });
  const both = Promise.all([one, other]).then((came) => came.includes(true));
  try {
    return await Promise.race([both, patience]);
  } finally {
    timer?.cancel();
  }
}
