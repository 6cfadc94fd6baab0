import type { Clock } from '../rpc/clock.js';

const KIB = 1024;
/** Pings and SETTINGS have limits of their own, far below; answers to our pings are 17 bytes. */
const ALLOWED_BYTES_PER_SECOND = 64 * KIB;
/** Of data that has come and that nobody has read yet there is as much as the window of the connection. */
const ALLOWED_BYTES = 1024 * KIB;
/** Metadata; and what comes of a message that nobody wants until its caller hears so is about one window of a stream. */
const ALLOWED_BYTES_PER_CALL = 256 * KIB;

/** What has come on a connection, ever. */
export interface ReceivedSoFar {
  readonly bytes: number;
  /** Goes up with each call that begins or ends. */
  readonly calls: number;
  /** Of `bytes`, those of messages. */
  readonly messageBytes: number;
}

export interface EmptyFramesOptions {
  readonly received: () => ReceivedSoFar;
  readonly clock: Clock;
}

/**
 * Finds floods of frames of which node:http2 tells nobody (WINDOW_UPDATE, PRIORITY, header lists that nghttp2 refuses by itself, what is
 * unknown): much more has come since the last look than calls account for. Returns what was found.
 */
export function createEmptyFrames({ received, clock }: EmptyFramesOptions): () => string | undefined {
  let last = { atMs: clock.nowMs(), ...received() };
  return () => {
    const before = last;
    last = { atMs: clock.nowMs(), ...received() };
    const seconds = (last.atMs - before.atMs) / 1000;
    const messageBytes = last.messageBytes - before.messageBytes;
    const emptyBytes = last.bytes - before.bytes - messageBytes;
    const allowedBytes =
      ALLOWED_BYTES +
      seconds * ALLOWED_BYTES_PER_SECOND +
      (last.calls - before.calls) * ALLOWED_BYTES_PER_CALL +
      // Nobody sends more frame than content.
      messageBytes;
    if (emptyBytes <= allowedBytes) return undefined;
    return `${emptyBytes} bytes in ${Math.round(seconds)} s that belong to no message; of this connection ${Math.round(allowedBytes)} are allowed`;
  };
}
