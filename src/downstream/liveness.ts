import type { ServerHttp2Session } from 'node:http2';
import type { ConnectionCloseReason } from '../observe/events.js';
import type { Clock, Timer } from '../rpc/clock.js';
import type { DownstreamLimits } from './engine.js';

export interface LivenessOptions {
  readonly session: ServerHttp2Session;
  readonly limits: DownstreamLimits;
  readonly clock: Clock;
  /** Since when there has been no call, monotonic ms; undefined: there is one. */
  readonly idleSinceMs: () => number | undefined;
  /** Has too much come since it was last asked that is for nothing? */
  readonly isFlooding: () => boolean;
  /** At once: nobody is there, or never was. */
  readonly cut: (reason: ConnectionCloseReason) => void;
  /** Politely: somebody is there who wants nothing. */
  readonly leave: (reason: ConnectionCloseReason) => void;
}

/** Is somebody there, and does he want something? One timer per connection, for its first frame, then for its pings. */
export class Liveness {
  readonly #options: LivenessOptions;
  #timer: Timer;
  #stopped = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
    const { limits, clock, cut } = options;
    this.#timer = clock.setTimer(limits.limits.firstFrameTimeoutMs, () => cut('first-frame'));
  }

  /** The first frame has come. */
  spoke(): void {
    this.#timer.cancel();
    this.#awaitNextPing();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer.cancel();
  }

  #awaitNextPing(): void {
    const { clock, limits } = this.#options;
    if (!this.#stopped) this.#timer = clock.setTimer(limits.ping.intervalMs, () => this.#ping());
  }

  #ping(): void {
    const { session, clock, limits, isFlooding, cut, leave } = this.#options;
    if (session.destroyed) {
      cut('client');
      return;
    }
    if (isFlooding()) {
      cut('limit');
      return;
    }
    // Looked at here: nobody needs it more exactly, and a timer of its own costs more.
    if (this.#isIdle) leave('idle');
    // No acknowledgement, or no room for a ping among those already under way: nobody is there. It may also be that
    // node:http2 has given up: after some violations it says GOAWAY, reads no more, and never hears of the peer's end.
    this.#timer = clock.setTimer(limits.ping.timeoutMs, () => cut('ping-timeout'));
    if (session.destroyed) return;
    session.ping((error) => {
      if (error) return;
      this.#timer.cancel();
      this.#awaitNextPing();
    });
  }

  get #isIdle(): boolean {
    const { clock, limits, idleSinceMs } = this.#options;
    const { idleTimeoutMs } = limits.limits;
    const sinceMs = idleSinceMs();
    return idleTimeoutMs > 0 && sinceMs !== undefined && clock.nowMs() - sinceMs >= idleTimeoutMs;
  }
}
