import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { BootClock } from '../durable/boot-clock.js';
import { readUpTo, replaceFile } from '../durable/files.js';
import type { OwnDirectory } from '../durable/own-directory.js';
import type { Emit } from '../observe/events.js';
import type { Clock, Timer } from '../rpc/clock.js';
import type { NodeRecord } from './node.js';
import {
  decodeNodes,
  encodeNodes,
  type KeptNode,
  NODES_SCHEMA,
  type NodesMoment,
  type RestoredNodes,
} from './nodes-format.js';

/** Nodes that are held here, on disk: who is started in this gateway's place opens their streams before they come back. */
export interface NodesFile {
  /** Never rejects: without the file the nodes are there when they come. */
  load(): Promise<void>;
  /** Takes back what was read, as far as it is nobody else's; from now on writes what changes. */
  start(): void;
  /** Writes once more. Never rejects. */
  stop(): Promise<void>;
}

export interface NodesFileOptions {
  readonly directory: OwnDirectory;
  readonly fleetId: string;
  readonly graceMs: number;
  /** Under what name nodes are held by this process. */
  readonly replica: string;
  readonly kept: () => readonly KeptNode[];
  /** A number that changes with what is kept. */
  readonly revision: () => number;
  /** Resolves to how many of them were taken back. */
  readonly recover: (records: readonly NodeRecord[], former: string) => Promise<number>;
  readonly clock: Clock;
  readonly bootClock: BootClock;
  readonly emit: Emit;
}

/** A node that has come or gone is written down within this. */
const LOOK_MS = 1_000;
/** When a node was last heard is worth this share of its grace. */
const BEATS_SHARE = 0.25;
/** A disk that is slow is left alone for so many times as long as the last writing took. */
const REST = 10;
/** 65,536 nodes take some 30 MB; a file beyond this is not ours. */
const MAX_BYTES = 256 * 1024 * 1024;

export function createNodesFile(options: NodesFileOptions): NodesFile {
  const { directory, fleetId, clock, emit } = options;
  if (directory.dir === '')
    return { load: () => Promise.resolve(), start: () => undefined, stop: () => Promise.resolve() };
  const fleet = createHash('sha256').update(fleetId).digest('hex').slice(0, 12);
  const file = join(directory.dir, `nodes-${fleet}.v${NODES_SCHEMA}`);
  let found: RestoredNodes | undefined;
  let written: { readonly revision: number; readonly atMs: number; readonly tookMs: number } | undefined;
  let timer: Timer | undefined;
  let stopped = false;
  let writing: Promise<void> = Promise.resolve();

  const moment = (): NodesMoment => ({
    nowMs: clock.nowMs(),
    wallMs: clock.wallMs(),
    boot: options.bootClock(),
  });

  const write = async (): Promise<void> => {
    const revision = options.revision();
    const kept = options.kept();
    if (!directory.held || (kept.length === 0 && written === undefined && found === undefined)) return;
    const atMs = clock.nowMs();
    try {
      await replaceFile(file, encodeNodes(kept, { fleetId, replica: options.replica }, moment()));
      written = { revision, atMs, tookMs: clock.nowMs() - atMs };
    } catch {
      // The snapshot in the same directory fails for the same reason, and tells of it once.
    }
  };

  const isDue = (): boolean => {
    if (written === undefined) return true;
    const sinceMs = clock.nowMs() - written.atMs;
    if (sinceMs < REST * written.tookMs) return false;
    return written.revision !== options.revision() || sinceMs >= options.graceMs * BEATS_SHARE;
  };
  const schedule = (): void => {
    if (stopped) return;
    timer = clock.setTimer(LOOK_MS, () => {
      if (isDue()) writing = writing.then(write);
      void writing.then(schedule);
    });
  };

  const recover = async ({ records, replica, tooOld }: RestoredNodes): Promise<void> => {
    const recovered = records.length === 0 ? 0 : await options.recover(records, replica);
    emit({ kind: 'nodes-recovered', recovered, elsewhere: records.length - recovered, tooOld });
  };

  return {
    async load() {
      // Somebody else's nodes live with somebody else.
      if (!directory.held) return;
      try {
        const bytes = await readUpTo(file, MAX_BYTES);
        if (bytes !== undefined) found = decodeNodes(bytes, options, moment());
      } catch (error) {
        emit({ kind: 'internal-error', where: 'reading which nodes were here', error });
      }
    },
    start() {
      if (found !== undefined && found.records.length + found.tooOld > 0) void recover(found);
      schedule();
    },
    stop() {
      stopped = true;
      timer?.cancel();
      writing = writing.then(write);
      return writing;
    },
  };
}
