import { type OutgoingHttpHeaders, type ServerHttp2Stream, sensitiveHeaders } from 'node:http2';
import { isForwarded, type Metadata, NO_METADATA } from '../rpc/metadata.js';
import type { Status } from '../rpc/status.js';
import { encodeStatusText } from './status-text.js';

/** No `date`: gRPC does not ask for it, and it would be 37 bytes and a string per answer. */
const OPENING = { waitForTrailers: true, sendDate: false };
const ONLY_TRAILERS = { endStream: true, sendDate: false };

/** Gets what node:http2 objected to: metadata has been left out, and somebody ought to know. */
export type Report = (error: unknown) => void;

/** HEADERS that open an answer with messages. Does nothing on a stream that has gone. */
export function respond(stream: ServerHttp2Stream, metadata: Metadata, report: Report): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return;
  try {
    stream.respond(openingHeaders(metadata), OPENING);
  } catch (error) {
    report(error);
    attempt(() => stream.respond(openingHeaders(NO_METADATA), OPENING), report);
  }
}

/** "Trailers-Only": the whole answer is one HEADERS frame with END_STREAM. Does nothing on a stream that has gone. */
export function respondTrailersOnly(
  stream: ServerHttp2Stream,
  status: Status,
  trailers: Metadata,
  report: Report,
  extra: OutgoingHttpHeaders = {},
): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return;
  const headers = (metadata: Metadata) =>
    Object.assign(openingHeaders(NO_METADATA), trailersOf(status, metadata), extra);
  try {
    stream.respond(headers(trailers), ONLY_TRAILERS);
  } catch (error) {
    report(error);
    attempt(() => stream.respond(headers(NO_METADATA), ONLY_TRAILERS), report);
  }
}

/** To be called on 'wantTrailers' only. Does nothing on a stream that has gone. */
export function sendTrailers(
  stream: ServerHttp2Stream,
  status: Status,
  trailers: Metadata,
  report: Report,
): void {
  if (stream.destroyed || stream.closed) return;
  try {
    stream.sendTrailers(trailersOf(status, trailers));
  } catch (error) {
    report(error);
    attempt(() => stream.sendTrailers(trailersOf(status, NO_METADATA)), report);
  }
}

/**
 * node:http2 throws on metadata that it does not allow (two values of a key that it takes for a single one, say).
 * Then the caller gets its answer and status without metadata rather than nothing.
 */
function attempt(bare: () => void, report: Report): void {
  try {
    bare();
  } catch (error) {
    report(error);
  }
}

function openingHeaders(metadata: Metadata): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ':status': 200, 'content-type': 'application/grpc' };
  addMetadata(headers, metadata);
  return headers;
}

/**
 * An age is another one each time: in HPACK's table it would push out what could be sent as one byte, and searching for it
 * costs more than sending it (8 % of the CPU of a hit).
 */
const NEVER_INDEXED = ['x-dfmgw-age-ms'];

function trailersOf(status: Status, metadata: Metadata): OutgoingHttpHeaders {
  const trailers: OutgoingHttpHeaders = { 'grpc-status': status.code };
  if (status.message !== '') trailers['grpc-message'] = encodeStatusText(status.message);
  addMetadata(trailers, metadata);
  if (trailers['x-dfmgw-age-ms'] !== undefined)
    trailers[sensitiveHeaders as unknown as string] = NEVER_INDEXED;
  return trailers;
}

/** node:http2 parts headers with NUL bytes, so a value with one would become further headers. */
const NUL = '\0';

function addMetadata(headers: OutgoingHttpHeaders, metadata: Metadata): void {
  for (const key in metadata) {
    const value = metadata[key];
    if (value === undefined || !isForwarded(key) || key.includes(NUL)) continue;
    if (typeof value === 'string') {
      if (!value.includes(NUL)) headers[key] = value;
    } else {
      headers[key] = value.filter((one) => !one.includes(NUL));
    }
  }
}
