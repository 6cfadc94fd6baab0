import type { ServerHttp2Stream } from 'node:http2';
import type { GatewayError } from '../errors.js';
import type { Clock } from '../rpc/clock.js';
import { NO_METADATA } from '../rpc/metadata.js';
import type { Admission } from './admission.js';
import { ACCEPTED_ENCODINGS } from './compression.js';
import { releaseStream } from './outbound.js';
import { type Report, respondTrailersOnly } from './response-headers.js';
import { encodeStatusText } from './status-text.js';

/** How long the rest of a request that nobody wants may take before its stream is reset. */
const LINGER_MS = 1_000;

type Refused = Extract<Admission, { kind: 'refused' }>;

/** Answers a request of which no call comes. Does nothing on a stream that has gone. */
export function refuse(
  stream: ServerHttp2Stream,
  { reason, error, httpStatus }: Refused,
  clock: Clock,
  report: Report,
): void {
  stream.resume();
  if (httpStatus !== 200) {
    refuseInHttp(stream, httpStatus, error, clock);
    return;
  }
  const extra = reason === 'encoding' ? { 'grpc-accept-encoding': ACCEPTED_ENCODINGS } : {};
  respondTrailersOnly(stream, error.status, NO_METADATA, report, extra);
  setImmediate(releaseStream, stream);
}

/**
 * Refuses what is HTTP but no gRPC: in HTTP's words, because it may be a person with curl, and in gRPC's. Does nothing on a
 * stream that has gone. The request's end is waited for, for a moment: a stream that is reset at once cannot tell its peer
 * what was wrong with what came next.
 */
function refuseInHttp(
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
