import type { Clock } from '../../rpc/clock.js';
import { Code } from '../../rpc/status.js';
import type { FaultBoard } from './fault-board.js';
import type { ManagerVersion } from './manager-version.js';
import { Refusal } from './refusal.js';

/** Calls and stream opens a second, health included (measured). */
const CALLS_PER_SECOND = { 'v2.5.1': 4_000, 'v2.1.55': 20_000 } as const;

/** Counts calls in windows of a second of the manager's time, and refuses those above the limit. */
export class RateLimit {
  readonly #faults: FaultBoard;
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #windowMs: number;
  #window = 0;
  #calls = 0;

  constructor(options: {
    readonly version: ManagerVersion;
    readonly timeFactor: number;
    readonly clock: Clock;
    readonly faults: FaultBoard;
  }) {
    this.#faults = options.faults;
    this.#clock = options.clock;
    this.#limit = CALLS_PER_SECOND[options.version];
    this.#windowMs = 1_000 / options.timeFactor;
  }

  check(path: string): void {
    const window = Math.floor(this.#clock.nowMs() / this.#windowMs);
    if (window !== this.#window) this.#calls = 0;
    this.#window = window;
    this.#calls += 1;
    const fault = this.#faults.get('rate-limited');
    const limit = fault === undefined ? this.#limit : (fault.callsPerSecond ?? 0);
    if (this.#calls <= limit) return;
    throw new Refusal(
      Code.RESOURCE_EXHAUSTED,
      `${path} is rejected by grpc_ratelimit middleware, please retry later. rate limit exceeded`,
    );
  }
}
