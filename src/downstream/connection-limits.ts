import { GatewayError } from '../errors.js';
import type { Emit, LimitName } from '../observe/events.js';
import type { Clock } from '../rpc/clock.js';
import type { CallerLimits } from './engine.js';
import { createRateLimit, type RateLimit } from './rate-limit.js';

type Counted = Extract<LimitName, 'resets' | 'pings' | 'settings' | 'refusals' | 'asking'>;

type Bursts = Readonly<Record<Counted, number>>;

const KEYS = {
  resets: 'resetsPerSecond',
  pings: 'pingsPerSecond',
  settings: 'settingsPerSecond',
  refusals: 'refusalsPerSecond',
  asking: 'asksPerSecond',
} as const satisfies Record<Counted, keyof CallerLimits>;

const WHAT = {
  resets: 'streams reset by the caller',
  pings: 'pings',
  settings: 'changes of settings',
  refusals: 'calls that had to be refused',
  asking: 'reads that memory cannot answer, and writes',
} as const satisfies Record<Counted, string>;

/** Seconds. What costs the gateway alone is dealt with in one go, while others wait; the manager's share is spread by flights and queue. */
const BURST_S: Bursts = { resets: 2, pings: 2, settings: 2, refusals: 2, asking: 10 };
/** Of a connection from where another one has just been cut off, or cutting would only give its owner another burst. No caller that starts needs more. */
const BURST_AFTER_CUT_S: Bursts = { resets: 0.5, pings: 0.5, settings: 0.5, refusals: 0.5, asking: 0.2 };

export interface ConnectionLimitsOptions {
  /** Read when they are needed. */
  readonly limits: CallerLimits;
  /** It comes from where one has just been cut off. */
  readonly afterCut: boolean;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** What one connection may do in a second. Nothing is kept for what it does not do. */
export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions;
  readonly #rates = new Map<Counted, RateLimit>();

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options;
  }

  /** Counts one more, or `weight`; the error says that it was one too many. */
  count(limit: Counted, weight = 1): GatewayError | undefined {
    const { limits, afterCut, clock, emit } = this.#options;
    const perSecond = limits[KEYS[limit]];
    let rate = this.#rates.get(limit);
    if (rate === undefined) {
      rate = createRateLimit((afterCut ? BURST_AFTER_CUT_S : BURST_S)[limit]);
      this.#rates.set(limit, rate);
    }
    if (rate.take(perSecond, clock.nowMs(), weight)) return undefined;
    const detail = `more than ${perSecond} ${WHAT[limit]} per second on one connection (server.limits.${KEYS[limit]})`;
    emit({ kind: 'limit-reached', limit, detail });
    return new GatewayError('overloaded', detail);
  }
}
