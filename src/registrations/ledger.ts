import type { Emit } from '../observe/events.js';
import type { Book } from './book.js';
import type { Journal } from './journal.js';
import type { JournalRecord } from './record.js';

/** Where registrations are written down, and the book that says what is there. */
export interface Ledger {
  /** Is there a place that outlives the process? Without one nothing may be acknowledged. */
  readonly lasting: boolean;
  /** In the book once it will outlive the process. Rejects if it will not: then it must not be acknowledged. */
  append(record: JournalRecord): Promise<void>;
  /** In the book at once; resolves when it is written down, or cannot be, which costs at most that it is done once more. Never rejects. */
  keep(record: JournalRecord): Promise<void>;
}

export function createLedger(options: {
  readonly book: Book;
  readonly journal: Journal;
  readonly emit: Emit;
}): Ledger {
  const { book, journal, emit } = options;
  const failed = (error: unknown): void =>
    emit({ kind: 'journal-failed', detail: error instanceof Error ? error.message : String(error) });
  return {
    get lasting() {
      return journal.isOpen;
    },
    async append(record) {
      try {
        await journal.append(record);
      } catch (error) {
        failed(error);
        throw error;
      }
    },
    async keep(record) {
      book.apply(record);
      if (journal.isOpen) await journal.append(record).catch(failed);
    },
  };
}
