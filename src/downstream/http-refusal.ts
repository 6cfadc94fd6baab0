import type { ServerHttp2Stream } from 'node:http2';
import type { GatewayError } from '../errors.js';
import type { Clock } from '../rpc/clock.js';
import { releaseStream } from './outbound.js';
import { encodeStatusText } from './status-text.js';

/** How long the rest of a request that nobody wants may take before its stream is reset. */
const LINGER_MS = 1_000;

/**
 * Refuses what is HTTP but no gRPC: in HTTP's words, because it may be a person with curl, and in gRPC's. Does nothing on a
 * stream that has gone. The request's end is waited for, for a moment: a stream that is reset at once cannot tell its peer
 * what was wrong with what came next.
 */
export function refuseInHttp(
  stream: ServerHttp2Stream,
  httpStatus: 405 | 415,
  error: GatewayError,
  clock: Clock,
): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond({
    ':status': httpStatus,
    'content-type': 'text/plain; charset=utf-8',
    ...(httpStatus === 405 ? { allow: 'POST' } : {}),
    'grpc-status': error.status.code,
    'grpc-message': encodeStatusText(error.status.message),
  });
  stream.end(`${error.status.message}\n`);
  const timer = clock.setTimer(LINGER_MS, () => releaseStream(stream));
  stream.once('close', () => timer.cancel());
}
