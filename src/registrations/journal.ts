import { createHash } from 'node:crypto';
import { copyFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { openToAppend, readUpTo, replaceFile, sweepLeftovers } from '../durable/files.js';
import type { OwnDirectory } from '../durable/own-directory.js';
import { frameRecord, readRecords } from '../durable/records.js';
import type { Book } from './book.js';
import { decodeJournalRecord, encodeJournalRecord, type JournalRecord } from './record.js';

const JOURNAL_SCHEMA = 1;
/** Written anew once it is this large, and this many times larger than what it says. */
const COMPACT_BYTES = 1024 * 1024;
const COMPACT_FACTOR = 4;
/** 65,536 nodes take some 60 MB; a file beyond this is not ours. */
const MAX_FILE_BYTES = 1024 * 1024 * 1024;

/** An append-only file of records, and the book that they fill. */
export interface Journal {
  /** Reads the file into the book, below what the book says already, and makes it ready for appending. Rejects if it cannot be. */
  open(): Promise<{ readonly damagedBytes: number; readonly ignored: number }>;
  /**
   * Resolves when the record is on disk for good, and in the book unless `wanted` says by then that it is not to be. Rejects if it is not:
   * then it must not be acknowledged.
   */
  append(record: JournalRecord, wanted?: () => boolean): Promise<void>;
  /** Can it be appended to? */
  readonly isOpen: boolean;
  /** What is appended is finished first. */
  close(): Promise<void>;
}

/** The version and the fleet are in the name, as with the snapshot. */
export function journalFile(dir: string, fleetId: string): string {
  const fleet = createHash('sha256').update(fleetId).digest('hex').slice(0, 12);
  return join(dir, `registrations-${fleet}.v${JOURNAL_SCHEMA}`);
}

interface Waiting {
  readonly record: JournalRecord;
  readonly wanted: () => boolean;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

export interface JournalOptions {
  readonly directory: Pick<OwnDirectory, 'dir' | 'held'>;
  readonly fleetId: string;
  readonly book: Book;
  /** Smaller files are not written anew. */
  readonly compactBytes?: number;
}

export function createJournal(options: JournalOptions): Journal {
  const { directory, book } = options;
  const file = journalFile(directory.dir, options.fleetId);
  let waiting: Waiting[] = [];
  let handle: FileHandle | undefined;
  let opened = false;
  let sizeBytes = 0;
  let compactedBytes = 0;
  let working: Promise<void> = Promise.resolve();

  /** The file as the book says, and nothing else: also the way back after a failed write, of which nobody knows how much is there. */
  const compact = async (): Promise<void> => {
    await handle?.close().catch(() => undefined); // its successor is what counts
    handle = undefined;
    const frames = book.records().map((record) => frameRecord(encodeJournalRecord(record)));
    compactedBytes = await replaceFile(file, frames);
    sizeBytes = compactedBytes;
    handle = await openToAppend(file);
  };

  const writeBatch = async (batch: readonly Waiting[]): Promise<void> => {
    if (!directory.held) throw new Error('another gateway uses the directory');
    if (
      handle === undefined ||
      sizeBytes > Math.max(options.compactBytes ?? COMPACT_BYTES, COMPACT_FACTOR * compactedBytes)
    ) {
      await compact();
    }
    const bytes = Buffer.concat(batch.map(({ record }) => frameRecord(encodeJournalRecord(record))));
    await (handle as unknown as FileHandle).appendFile(bytes);
    await (handle as unknown as FileHandle).sync();
    sizeBytes += bytes.length;
  };

  /** Everything that waits, with one sync. */
  const work = async (): Promise<void> => {
    const batch = waiting;
    if (batch.length === 0) return;
    waiting = [];
    try {
      await writeBatch(batch);
    } catch (error) {
      await handle?.close().catch(() => undefined); // the error that came first is the one to tell
      handle = undefined;
      for (const { failed } of batch) failed(error);
      return;
    }
    for (const { record, wanted, done } of batch) {
      if (wanted()) book.apply(record);
      done();
    }
  };

  return {
    async open() {
      // The directory is this gateway's own: whoever left these is dead.
      await sweepLeftovers(file, Number.NEGATIVE_INFINITY, 0);
      const bytes = (await readUpTo(file, MAX_FILE_BYTES)) ?? Buffer.alloc(0);
      const { payloads, damagedBytes } = readRecords(bytes);
      const records = payloads.map(decodeJournalRecord);
      const since = book.records();
      for (const record of records) if (record !== undefined) book.apply(record);
      // What has happened while the file was another gateway's is newer than all that it says.
      for (const record of since) book.apply(record);
      const ignored = records.filter((record) => record === undefined).length;
      if (damagedBytes + ignored > 0) await copyFile(file, `${file}.damaged`);
      await compact();
      opened = true;
      return { damagedBytes, ignored };
    },
    append(record, wanted = () => true) {
      if (!opened) return Promise.reject(new Error('the journal is not open'));
      return new Promise((done, failed) => {
        waiting.push({ record, wanted, done, failed });
        working = working.then(work);
      });
    },
    get isOpen() {
      return opened && directory.held;
    },
    async close() {
      opened = false;
      await working;
      await handle?.close();
      handle = undefined;
    },
  };
}
