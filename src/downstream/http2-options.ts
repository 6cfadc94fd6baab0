import type { ServerOptions } from 'node:http2';
import type { DownstreamLimits } from './engine.js';

const KIB = 1024;

/**
 * Metadata over the limit is refused in words, and counted, which needs it received. So HTTP/2 is told four times the limit;
 * beyond that node:http2 resets the stream with ENHANCE_YOUR_CALM, which gRPC clients show as RESOURCE_EXHAUSTED without words,
 * and tells nobody here.
 */
const ANSWERABLE_FACTOR = 4;
/** The least that a header counts (RFC 9113 §6.5.2): by size, never by number, a list is too long. */
const SMALLEST_HEADER_BYTES = 32;

/**
 * Of a connection from where one has just been cut off, at first: what exceeds it nghttp2 refuses by itself, before anything is made for it. As many
 * as clients take for granted before they have read our SETTINGS (RFC 9113 §6.5.2 has no smaller one).
 */
const STREAMS_AFTER_CUT = 100;

/** What node:http2 is told about a new connection. */
export function http2Options(limits: DownstreamLimits, afterCut: boolean): ServerOptions {
  const maxHeaderListSize = limits.maxMetadataBytes * ANSWERABLE_FACTOR;
  return {
    settings: {
      enablePush: false,
      maxConcurrentStreams: afterCut
        ? Math.min(STREAMS_AFTER_CUT, limits.maxConcurrentStreams)
        : limits.maxConcurrentStreams,
      maxHeaderListSize,
      // The default of 64 KiB allows 64 MB/s at 1 ms; a model of 256 MiB should not have to wait for round trips.
      initialWindowSize: 256 * KIB,
    },
    maxHeaderListPairs: Math.ceil(maxHeaderListSize / SMALLEST_HEADER_BYTES),
    // MB, what is on its way out and the header tables included; while it is exceeded, every new stream of the connection
    // is refused. 256 streams with a slice of an answer each are 16 MB, above the default of 10.
    maxSessionMemory: 64,
    // Streams over maxConcurrentStreams are refused one by one; this many in a connection's life end it. The default,
    // 100, is reached by one burst of a client that has not yet read our SETTINGS.
    maxSessionRejectedStreams: 10_000,
    maxSessionInvalidFrames: 100,
    // Trailers with status details may be long; the default is 64 KiB for the whole block.
    maxSendHeaderBlockLength: 1024 * KIB,
    maxOutstandingPings: 2,
  };
}

/** Of a whole connection; the default of 64 KiB would be shared by all its uploads. */
export const CONNECTION_WINDOW_BYTES = 1024 * KIB;
