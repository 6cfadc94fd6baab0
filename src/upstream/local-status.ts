import type { StatusObject } from '@grpc/grpc-js';
import { Code, type Status } from '../rpc/status.js';
import { MAX_ANSWER_BYTES } from './channel-options.js';
import { NOT_LET_GO } from './pinned-credentials.js';

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  EPIPE: 'connection closed',
};

/** "80AC…:error:0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:../deps/…": the words are those behind the function. */
const OPENSSL = /\berror:[0-9A-F]{8}:[^:]*:[^:]*:([^:]+):/;

/**
 * A connection that was lost under a call. One that ends in a GOAWAY with an error code is so for Go, too; over one that was closed in
 * order (its grace behind a GOAWAY was over) Node ends the call's stream with NO_ERROR. grpc-js says INTERNAL of some, which nobody tries again.
 */
const BROKEN =
  /^(Connection dropped|(read|write) E[A-Z]+|.* triggered by internal client error: ((read|write) E[A-Z]+|Session closed with error code \d+)|Received RST_STREAM with code 0 \(Call ended without gRPC status\))$/;

const UNSENT = 'the connection was lost before the request was sent';

/** How everything begins that was not said by a manager. */
const OURS = 'manager-gateway: manager ';

/** Was this message made by `explainStatus`, because there was no word of the manager? */
export function isOurs(message: string): boolean {
  return message.startsWith(OURS);
}

/**
 * A status as grpc-js reports it, as the caller shall see it. The manager's own words pass untouched; what grpc-js
 * made up because there was no word of the manager is said in words for operators. `manager` as configured;
 * `mayWantTls`: it is spoken to in plaintext, and has never answered so.
 */
export function explainStatus(status: StatusObject, manager: string, mayWantTls: boolean): Status {
  const { code, details } = status;
  const local = (localCode: number, text: string) => ({
    code: localCode,
    message: `${OURS}${manager}: ${text}`,
  });
  // An unknown grpc-encoding ends a call without a code at all; a grpc-status that is no number with NaN.
  if (code === undefined) return local(Code.INTERNAL, 'its answer is in an encoding that cannot be read');
  if (Number.isNaN(code)) return local(Code.UNKNOWN, 'its answer has no readable grpc-status');
  if (code === Code.UNAVAILABLE && details.startsWith('No connection established.')) {
    return local(Code.UNAVAILABLE, connectionTrouble(details, mayWantTls));
  }
  if (BROKEN.test(details) && (code === Code.UNAVAILABLE || code === Code.INTERNAL)) {
    return local(Code.UNAVAILABLE, 'the connection was lost before it answered');
  }
  if (code === Code.UNAVAILABLE && details === 'Channel closed before call started') {
    return local(Code.UNAVAILABLE, 'no connection in time');
  }
  // The connection went away between choosing it and using it. Nothing was sent: callers may try again.
  if (code === Code.INTERNAL && details.startsWith('Failed to start HTTP/2 stream')) {
    return lostBeforeSent(manager);
  }
  if (code === Code.UNAVAILABLE && details.endsWith(NOT_LET_GO)) return lostBeforeSent(manager);
  // RST_STREAM REFUSED_STREAM, as behind a GOAWAY: it was not looked at (RFC 9113 §8.7).
  if (code === Code.UNAVAILABLE && details === 'Stream refused by server') return lostBeforeSent(manager);
  if (code === Code.RESOURCE_EXHAUSTED && details.startsWith('Received message')) {
    return local(Code.RESOURCE_EXHAUSTED, `its answer is larger than ${MAX_ANSWER_BYTES} bytes`);
  }
  return { code, message: details };
}

/** Nothing was sent: callers may try again. */
export function lostBeforeSent(manager: string): Status {
  return {
    code: Code.UNAVAILABLE,
    message: `${OURS}${manager}: ${UNSENT}`,
  };
}

/** Has no manager seen the request? Then it may be sent again, whatever it asks for. */
export function isUnsent({ code, message }: Status): boolean {
  return code === Code.UNAVAILABLE && isOurs(message) && message.endsWith(UNSENT);
}

/** `"connection refused"` out of grpc-js's "No connection established. Last error: …. Resolution note: ". */
function connectionTrouble(details: string, mayWantTls: boolean): string {
  const cause = /Last error: (?:Error: )?(.*?)(?: \(\d{4}-[^)]*\))?\. Resolution note:/s.exec(details)?.[1];
  if (cause === undefined || cause === 'null') return 'no connection';
  // A manager that speaks TLS closes at the first byte that is none; one that is stopping, or a proxy without one, does so, too.
  if (cause === 'Failed to connect')
    return `it closed the connection before HTTP/2 began${mayWantTls ? ' (does it want TLS?)' : ''}`;
  const openSsl = OPENSSL.exec(cause)?.[1];
  if (openSsl !== undefined) return `TLS: ${openSsl}`;
  const systemError = /\bE[A-Z]{4,}\b/.exec(cause)?.[0];
  return (systemError && SYSTEM_ERRORS[systemError]) ?? cause;
}
