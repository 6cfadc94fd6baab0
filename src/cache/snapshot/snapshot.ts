import { createHash } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/config.js';
import type { BootClock } from '../../durable/boot-clock.js';
import { readUpTo, replaceFile, sweepLeftovers } from '../../durable/files.js';
import type { OwnDirectory } from '../../durable/own-directory.js';
import type { Emit } from '../../observe/events.js';
import type { Clock, Timer } from '../../rpc/clock.js';
import type { Entry } from '../entry.js';
import { ageMs } from '../entry.js';
import type { MemoryStore } from '../memory.js';
import type { Moment } from '../stored-entry.js';
import type { Voids } from '../voids.js';
import { decodeSnapshot, encodeSnapshot, type RestoredSnapshot } from './format.js';
import { SNAPSHOT_SCHEMA } from './header.js';

export interface Snapshot {
  /** Puts into the store what the file holds. Never rejects: whatever is wrong with it is an event. */
  load(): Promise<void>;
  /** From now on writes every `snapshot.interval`, if something has changed. */
  start(): void;
  /** Writes once more, if something has changed. Never rejects. */
  stop(): Promise<void>;
}

export interface SnapshotOptions {
  readonly limits: Pick<Config['snapshot'], 'intervalMs'> & Pick<Config['cache'], 'maxBytes' | 'maxStaleMs'>;
  readonly directory: OwnDirectory;
  readonly fleetId: string;
  readonly store: MemoryStore;
  readonly voids: Voids;
  readonly clock: Clock;
  readonly bootClock: BootClock;
  readonly emit: Emit;
}

/** Room for the frames and base64 of entries that fill the memory; a file beyond it is not ours. */
const READ_FACTOR = 2;
const LEFTOVER_MS = 3_600_000;

/** The version and the fleet are in the name: nobody overwrites a file of another version or fleet. */
export function snapshotFile(dir: string, fleetId: string): string {
  const fleet = createHash('sha256').update(fleetId).digest('hex').slice(0, 12);
  return join(dir, `answers-${fleet}.v${SNAPSHOT_SCHEMA}`);
}

/** What is in memory, on disk. Off where `snapshot.dir` is empty; read, but not written, where another gateway has it. */
export function createSnapshot(options: SnapshotOptions): Snapshot {
  const { limits, directory, store, clock, emit } = options;
  const { dir } = directory;
  if (dir === '') return { load: () => Promise.resolve(), start: () => {}, stop: () => Promise.resolve() };

  const file = snapshotFile(dir, options.fleetId);
  let writtenRevision = revisionOf(options);
  let writing: Promise<void> = Promise.resolve();
  let timer: Timer | undefined;
  let stopped = false;
  // Told of once, and again only after it has worked in between.
  let usable: boolean | undefined;

  const unusable = (error: unknown): void => {
    if (usable !== false) emit({ kind: 'directory-unusable', dir, detail: textOf(error) });
    usable = false;
  };
  const moment = (): Moment => ({ wallMs: clock.wallMs(), nowMs: clock.nowMs() });

  const write = async (): Promise<void> => {
    const revision = revisionOf(options);
    if (revision === writtenRevision || !directory.held) return;
    const startedAtMs = clock.nowMs();
    try {
      // What an accepted manager has taken the place of would, read again, be held against it.
      const entries = [...store.entries()].filter(({ askedAtMs }) => !options.voids.isDeleted([], askedAtMs));
      // Before the ages are read: what passes in between makes an answer older after a restart, and never younger than it is.
      const boot = options.bootClock();
      const sizeBytes = await replaceFile(
        file,
        encodeSnapshot({
          fleetId: options.fleetId,
          entries,
          isVoid: (entry) => options.voids.isVoid(entry.question.tags, entry.checkedAtMs),
          maxBytes: limits.maxBytes,
          now: moment(),
          boot,
        }),
      );
      writtenRevision = revision;
      usable = true;
      const durationMs = clock.nowMs() - startedAtMs;
      emit({ kind: 'snapshot-written', entries: entries.length, sizeBytes, durationMs });
    } catch (error) {
      emit({ kind: 'snapshot-failed' });
      unusable(error);
    }
  };
  const writeInTurn = (): Promise<void> => {
    writing = writing.then(write);
    return writing;
  };
  const schedule = (): void => {
    if (stopped) return;
    timer = clock.setTimer(limits.intervalMs, () => void writeInTurn().then(schedule));
  };

  return {
    async load() {
      try {
        if (directory.held) await sweepLeftovers(file, LEFTOVER_MS, clock.wallMs());
      } catch (error) {
        unusable(error);
      }
      try {
        const bytes = await readUpTo(file, limits.maxBytes * READ_FACTOR);
        if (bytes === undefined) return;
        // The other way round than at the writing, for the same reason.
        const now = moment();
        const { fleetId } = options;
        const restored = decodeSnapshot(bytes, {
          fleetId,
          maxStaleMs: limits.maxStaleMs,
          now,
          boot: options.bootClock(),
        });
        putBack(store, restored);
        writtenRevision = revisionOf(options);
        emit({ kind: 'snapshot-loaded', ...figures(restored, now.nowMs) });
        // Nothing in it could be used: kept for whoever wants to know why, since the next writing takes its name.
        const { entries, damagedBytes, ignored } = restored;
        if (entries.length === 0 && damagedBytes + ignored > 0 && directory.held)
          await rename(file, `${file}.unused`);
      } catch (error) {
        emit({ kind: 'internal-error', where: 'reading the snapshot', error });
      }
    },
    start: schedule,
    stop() {
      stopped = true;
      timer?.cancel();
      return writeInTurn();
    },
  };
}

function revisionOf({ store, voids }: SnapshotOptions): number {
  return store.revision + voids.revision;
}

/** The most used last, so that it is the last to go. */
function putBack(store: MemoryStore, { entries }: RestoredSnapshot): void {
  for (const entry of [...entries].reverse()) {
    const there = store.peek(entry.question.key);
    if (there === undefined || there.askedAtMs < entry.askedAtMs) store.set(entry);
  }
}

function figures({ entries, damagedBytes, ignored }: RestoredSnapshot, nowMs: number) {
  const newestAgeMs = entries.reduce(
    (least: number | undefined, entry: Entry) =>
      Math.min(least ?? Number.POSITIVE_INFINITY, ageMs(entry, nowMs)),
    undefined,
  );
  return { entries: entries.length, damagedBytes, ignored, newestAgeMs };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
