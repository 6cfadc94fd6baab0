import { GatewayError } from '../errors.js';
import type { BadInputReason } from '../observe/events.js';
import { isForwarded, type Metadata } from '../rpc/metadata.js';
import { type Encoding, parseEncoding } from './compression.js';
import { parseTimeoutMs } from './timeouts.js';

/** What the header block of a request says, or why no call comes of it. */
export type Admission =
  | {
      readonly kind: 'call';
      readonly path: string;
      readonly metadata: Metadata;
      readonly timeoutMs: number | undefined;
      readonly encoding: Encoding;
    }
  | {
      readonly kind: 'refused';
      readonly httpStatus: 200 | 405 | 415;
      readonly reason: BadInputReason;
      readonly error: GatewayError;
    };

/** A call that may begin. */
export type Admitted = Extract<Admission, { kind: 'call' }>;

/** The key under which a call's time is told. */
export const TIMEOUT = 'grpc-timeout';
/** `application/grpc-web` is framed otherwise, so a mere prefix will not do. */
const GRPC_CONTENT_TYPE = /^application\/grpc(?:[+;]|$)/i;
/** What gRPC allows (PROTOCOL-HTTP2.md, "Custom-Metadata"); the channels towards the manager refuse to carry anything else. */
const KEY = /^[0-9a-z_.-]+$/;
const VALUE = /^[\x20-\x7e]*$/;
/** RFC 9113 §6.5.2. */
const OVERHEAD_BYTES = 32;

type Headers = Record<string, string | readonly string[]>;

/**
 * Without a prototype, so that a key such as `__proto__` is a key. Made like this, and not by `Object.create(null)`, V8 does not
 * keep it as a dictionary, which costs several times as much.
 */
function Keys(): void {}
Keys.prototype = Object.create(null);
const newHeaders = (): Headers => new (Keys as unknown as new () => Headers)();

interface Sorted {
  readonly method: string | undefined;
  readonly path: string | undefined;
  /** Without the timeout, which is another one with every call. */
  readonly metadata: Headers;
  readonly timeout: string | undefined;
  readonly sizeBytes: number;
}

/** `raw`: name, value, name, value, …, as received. */
export function admit(raw: readonly string[], maxMetadataBytes: number): Admission {
  const { method, path, metadata, timeout, sizeBytes } = sort(raw);
  if (sizeBytes > maxMetadataBytes) {
    const text = `metadata of ${sizeBytes} bytes; ${maxMetadataBytes} are allowed (server.maxMetadataBytes)`;
    return refused('metadata', new GatewayError('metadata-too-large', text));
  }
  if (method !== 'POST') {
    return refused(
      'protocol',
      new GatewayError('malformed-request', `HTTP method ${method}; gRPC is POST`),
      405,
    );
  }
  const contentType = first(metadata['content-type']) ?? '';
  if (!GRPC_CONTENT_TYPE.test(contentType)) {
    const text = `content-type ${JSON.stringify(contentType.slice(0, 64))}; application/grpc is expected`;
    return refused('protocol', new GatewayError('malformed-request', text), 415);
  }
  if (!path?.startsWith('/')) {
    return refused('path', new GatewayError('malformed-request', 'the path does not begin with "/"'));
  }
  return readMetadata(path, metadata, timeout);
}

function readMetadata(path: string, metadata: Headers, timeout: string | undefined): Admission {
  const unfit = firstUnfitKey(metadata);
  if (unfit !== undefined) {
    const text = `metadata ${JSON.stringify(unfit.slice(0, 64))} has characters that gRPC does not allow`;
    return refused('metadata', new GatewayError('malformed-request', text));
  }
  try {
    const timeoutMs = timeout === undefined ? undefined : parseTimeoutMs(timeout);
    return {
      kind: 'call',
      path,
      metadata,
      timeoutMs,
      encoding: parseEncoding(first(metadata['grpc-encoding'])),
    };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return refused(error.code === 'unsupported-encoding' ? 'encoding' : 'protocol', error);
  }
}

function refused(reason: BadInputReason, error: GatewayError, httpStatus: 200 | 405 | 415 = 200): Admission {
  return { kind: 'refused', httpStatus, reason, error };
}

/** A key that comes twice keeps its values apart and in order. */
function sort(raw: readonly string[]): Sorted {
  const metadata = newHeaders();
  let method: string | undefined;
  let path: string | undefined;
  let timeout: string | undefined;
  let sizeBytes = 0;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] as string;
    const value = raw[at + 1] as string;
    sizeBytes += name.length + value.length + OVERHEAD_BYTES;
    if (name.startsWith(':')) {
      if (name === ':method') method = value;
      else if (name === ':path') path = value;
      continue;
    }
    if (name === TIMEOUT) {
      timeout ??= value;
      continue;
    }
    const earlier = metadata[name];
    if (earlier === undefined) metadata[name] = value;
    else metadata[name] = typeof earlier === 'string' ? [earlier, value] : [...earlier, value];
  }
  return { method, path, metadata, timeout, sizeBytes };
}

function firstUnfitKey(metadata: Headers): string | undefined {
  for (const key in metadata) {
    if (!isForwarded(key)) continue;
    const value = metadata[key] as string | readonly string[];
    if (!KEY.test(key)) return key;
    if (typeof value === 'string' ? !VALUE.test(value) : !value.every((one) => VALUE.test(one))) return key;
  }
  return undefined;
}

function first(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}
