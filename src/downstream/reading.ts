import type { Socket } from 'node:net';

/** What net.Socket has of libuv's stream. Nothing public stops reading once node:http2 has taken the socket over. */
interface Handle {
  readStop?(): number;
  readStart?(): number;
  /** Bytes given to the kernel that it has not taken. */
  readonly writeQueueSize?: number;
}

/** Whether bytes are read from a socket that a session of node:http2 has taken over. */
export interface Reading {
  /** What has been read is dealt with to its end; nothing more is. */
  stop(): void;
  /** False: not now, because node:http2 itself does not read while its peer takes nothing. */
  start(): boolean;
}

/** Where a Node has no such handle, nothing is stopped, and only the limits are left. */
export function createReading(socket: Socket): Reading {
  const handle = (): Handle | null => (socket as { readonly _handle?: Handle | null })._handle ?? null;
  let stopped = false;
  return {
    stop() {
      if (stopped) return;
      stopped = true;
      handle()?.readStop?.();
    },
    start() {
      if (!stopped) return true;
      // It would go on keeping what comes until the write has ended, without a bound.
      if ((handle()?.writeQueueSize ?? 0) > 0) return false;
      stopped = false;
      handle()?.readStart?.();
      return true;
    },
  };
}
