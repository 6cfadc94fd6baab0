import { GatewayError } from '../errors.js';
import type { Emit, ErrorClass, ReplayOutcome } from '../observe/events.js';
import type { Answer } from '../rpc/answer.js';
import type { UnaryRequest } from '../rpc/call.js';
import type { Clock, Timer } from '../rpc/clock.js';
import { NO_METADATA } from '../rpc/metadata.js';
import { Code, type Status } from '../rpc/status.js';
import type { Book, Pending } from './book.js';
import type { Journal } from './journal.js';
import { type Fields, type MessageDecoder, type NodeName, turnKey } from './registration.js';
import type { Turns } from './turns.js';

export interface Replay {
  /** A manager may be back: makes up for what is pending, if it may and there is something. */
  wake(): void;
  stop(): void;
}

export interface ReplayOptions {
  readonly book: Book;
  readonly journal: Journal;
  readonly turns: Turns;
  readonly decoder: MessageDecoder;
  readonly ask: (request: UnaryRequest) => Promise<Answer>;
  /** May the managers be written to: one is healthy, and it is the one we know? */
  readonly allowed: () => boolean;
  /** Is the node alive? undefined: nobody knows. The shield of KeepAlive streams will. */
  readonly isAlive: (node: NodeName) => boolean | undefined;
  /** Request of the read that shows the node's row. */
  readonly lookUp: (node: NodeName, path: string, ip: string) => Pick<UnaryRequest, 'path' | 'message'>;
  /** Told round a write, so that what it touches is asked for again. */
  readonly written: (path: string, request: Buffer) => void;
  readonly classify: (status: Status) => ErrorClass | undefined;
  readonly ratePerSecond: number;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** When the manager does not answer after all, or nothing says that it is back. */
const RETRY_MS = 5_000;

export function createReplay(options: ReplayOptions): Replay {
  const { book, clock, emit } = options;
  let timer: Timer | undefined;
  let running = false;
  let stopped = false;
  let put = 0;

  const wakeIn = (delayMs: number): void => {
    timer?.cancel();
    if (!stopped && book.pending().length > 0) timer = clock.setTimer(delayMs, () => void round());
  };

  /** One registration, then the pause that `warmup.rate` asks for. */
  const round = async (): Promise<void> => {
    const all = book.pending();
    const next = all[put % Math.max(1, all.length)];
    if (running || stopped || next === undefined) return;
    if (!options.allowed()) return wakeIn(RETRY_MS);
    running = true;
    const outcome = await settle(options, next).catch((error: unknown): ReplayOutcome => {
      emit({ kind: 'internal-error', where: 'making up for a registration', error });
      return 'later';
    });
    running = false;
    // One that the manager fails keeps none of the others waiting.
    put = outcome === 'later' ? put + 1 : 0;
    emit({ kind: 'registration-replayed', outcome });
    wakeIn(outcome === 'later' ? RETRY_MS : 1_000 / options.ratePerSecond);
  };

  return {
    wake: () => void round(),
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

function settle(options: ReplayOptions, pending: Pending): Promise<ReplayOutcome> {
  const { kind, clusterId, hostname } = pending.registration.node;
  // A deletion or a newer registration of the node waits until this is over, or has been before it.
  return options.turns.take(turnKey(kind, clusterId, hostname), async () => {
    const outcome = await replayOne(options, pending);
    if (outcome !== 'later' && outcome !== 'superseded' && outcome !== 'applied') {
      await options.journal.append({ kind: 'settled', node: pending.registration.node });
    }
    return outcome;
  });
}

async function replayOne(options: ReplayOptions, pending: Pending): Promise<ReplayOutcome> {
  const { registration } = pending;
  const { node, path, ip, request } = registration;
  if (!options.book.isPending(pending)) return 'superseded';
  if (options.isAlive(node) === false) return 'dead';
  const seen = await asked(options, options.lookUp(node, path, ip));
  if (seen === undefined || options.classify(seen.status) !== undefined) return 'later';
  if (!options.allowed()) return 'later';
  if (shows(options, seen.path, seen.message, registration.path, request)) return 'there-already';
  options.written(path, request);
  const reply = await asked(options, { path, message: request });
  options.written(path, request);
  if (reply === undefined || options.classify(reply.status) === 'transient') return 'later';
  if (options.classify(reply.status) === 'backpressure') return 'later';
  if (reply.status.code !== Code.OK) return 'refused';
  await options.journal.append({ kind: 'known', registration, reply });
  return 'applied';
}

/** undefined: nothing was said. */
async function asked(options: ReplayOptions, { path, message }: Pick<UnaryRequest, 'path' | 'message'>) {
  const { clock } = options;
  const deadlineMs = clock.nowMs() + options.requestTimeoutMs;
  try {
    const { reply } = await options.ask({
      path,
      message,
      metadata: NO_METADATA,
      deadlineMs,
      signal: undefined,
    });
    return { ...reply, path };
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

/** What a row shows of a registration; the manager takes an empty value for "as it was". */
const SHOWN = ['ip', 'port', 'type', 'idc', 'location', 'download_port'] as const;

/** Does the row say what was registered? It speaks of this node only if its ip is the node's (protocol.md §2). */
function shows(
  { decoder }: ReplayOptions,
  rowPath: string,
  row: Buffer | undefined,
  path: string,
  request: Buffer,
): boolean {
  if (row === undefined) return false;
  let there: Fields;
  try {
    there = decoder.decodeResponse(rowPath, row);
  } catch {
    return false;
  }
  const wanted = decoder.decodeRequest(path, request);
  return SHOWN.every((name) => isEmpty(wanted[name]) || String(wanted[name]) === String(there[name] ?? ''));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === 0;
}
