import { GatewayError } from '../errors.js';
import type { NodeId } from '../keepalive/node.js';
import type { ErrorClass } from '../observe/events.js';
import type { Answer } from '../rpc/answer.js';
import type { Reply, UnaryRequest } from '../rpc/call.js';
import type { Clock } from '../rpc/clock.js';
import { NO_METADATA } from '../rpc/metadata.js';
import { Code, type Status } from '../rpc/status.js';
import {
  type Fields,
  type MessageDecoder,
  type NodeName,
  nodeIdOf,
  type Registration,
} from './registration.js';

/** `later`: the manager has not said anything, or may not be written to. */
export type MadeUp =
  | { readonly kind: 'applied'; readonly reply: Reply }
  | { readonly kind: 'there-already' | 'refused' | 'later' };

export interface MakeUpOptions {
  readonly decoder: MessageDecoder;
  readonly ask: (request: UnaryRequest) => Promise<Answer>;
  /** May the managers be written to: one is healthy, and it is the one we know? */
  readonly allowed: () => boolean;
  /** Resolves when a call may go out, where more is to be caught up with. */
  readonly paced: () => Promise<void>;
  /** Request of the read that shows the node's row. */
  readonly lookUp: (node: NodeName, path: string, ip: string) => Pick<UnaryRequest, 'path' | 'message'>;
  /** Told round a write, so that what it touches is asked for again. */
  readonly written: (path: string, request: Buffer) => void;
  /** Told of a node whose registration was sent, and may have been applied, though nobody may have heard of it. */
  readonly registered: (node: NodeId) => void;
  readonly classify: (status: Status) => ErrorClass | undefined;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
}

/**
 * Sends a registration on the gateway's own account, byte for byte, and writes nothing down. `look`: only if the manager does not
 * show it; `force`: whatever the manager, which answers from its cache for minutes, shows.
 */
export async function makeUp(
  options: MakeUpOptions,
  registration: Registration,
  how: 'look' | 'force',
): Promise<MadeUp> {
  const { node, path, ip, request } = registration;
  if (how === 'look') {
    if (!(await mayAsk(options))) return { kind: 'later' };
    const seen = await asked(options, options.lookUp(node, path, ip));
    if (seen === undefined || options.classify(seen.status) !== undefined) return { kind: 'later' };
    if (shows(options, seen.path, seen.message, registration)) {
      return { kind: options.allowed() ? 'there-already' : 'later' };
    }
  }
  if (!(await mayAsk(options))) return { kind: 'later' };
  options.written(path, request);
  const reply = await asked(options, { path, message: request });
  options.written(path, request);
  const fault = reply === undefined ? 'transient' : options.classify(reply.status);
  const isSettled = fault !== 'transient' && fault !== 'backpressure';
  if (isSettled && reply !== undefined && reply.status.code !== Code.OK) return { kind: 'refused' };
  options.registered(nodeIdOf(registration));
  return isSettled && reply !== undefined ? { kind: 'applied', reply } : { kind: 'later' };
}

/** First its time, then whether it may: what is allowed may have ended in the meantime. */
async function mayAsk({ paced, allowed }: MakeUpOptions): Promise<boolean> {
  await paced();
  return allowed();
}

/** undefined: nothing was said. */
async function asked(options: MakeUpOptions, { path, message }: Pick<UnaryRequest, 'path' | 'message'>) {
  const deadlineMs = options.clock.nowMs() + options.requestTimeoutMs;
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
  { decoder }: MakeUpOptions,
  rowPath: string,
  row: Buffer | undefined,
  { path, request }: Registration,
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
