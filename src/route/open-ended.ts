import { GatewayError } from '../errors.js';
import type { Call } from '../rpc/call.js';
import type { Clock } from '../rpc/clock.js';
import { NO_METADATA } from '../rpc/metadata.js';
import { staggered } from '../rpc/staggered.js';
import type { ForwardOutcome, Upstream } from '../upstream/upstream.js';
import { delegate } from './one-message.js';

/** Forwarded calls that neither side means to end: KeepAlive streams and watches of health. A drain would wait for them until it is over. */
export interface OpenEnded {
  forward(call: Call): Promise<ForwardOutcome>;
  /** Ends them in words that make their callers come back, one after the other. `deadlineMs`: monotonic. */
  drain(deadlineMs: number): Promise<void>;
}

export interface OpenEndedOptions {
  readonly forward: Upstream['forward'];
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

const STOPPING = new GatewayError('draining', 'manager-gateway is stopping; connect again');

export function createOpenEnded(options: OpenEndedOptions): OpenEnded {
  const ends = new Set<() => void>();
  return {
    async forward(call) {
      const over = new AbortController();
      const leave = (): void => over.abort();
      let ended = false;
      const end = (): void => {
        ended = true;
        // First, so that the caller does not hear of the cancelling.
        call.end(STOPPING.status, NO_METADATA);
        leave();
      };
      ends.add(end);
      call.signal.addEventListener('abort', leave, { once: true });
      if (call.signal.aborted) leave();
      try {
        const outcome = await options.forward(delegate(call, { signal: over.signal }));
        return ended ? { code: STOPPING.status.code } : outcome;
      } finally {
        ends.delete(end);
        call.signal.removeEventListener('abort', leave);
      }
    },
    async drain(deadlineMs) {
      await staggered(options, deadlineMs, [...ends]);
      // Those that were on their way when their connections were told to go.
      for (const end of ends) end();
    },
  };
}
