import type { AddressState } from '../observe/events.js';
import type { Call, Reply, UnaryRequest } from '../rpc/call.js';

/** What one attempt brought: the manager's words, when they were asked for, and by whom they were said. */
export interface Answer {
  readonly reply: Reply;
  /** On the monotonic clock, ms: just before the request went out. */
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
  /** Position in `managers.addrs`, as text: a label from a closed set. */
  readonly manager: string;
}

/** How one address is doing. `sinceMs` on the monotonic clock. */
export interface AddressStatus {
  readonly manager: string;
  readonly address: string;
  readonly state: AddressState;
  readonly sinceMs: number;
  readonly latencyMs: number | undefined;
  readonly detail: string;
  readonly channels: number;
  readonly readyChannels: number;
  readonly inFlight: number;
}

/**
 * The managers, seen from the data path.
 *
 * `unary` resolves with whatever the manager said, faults included (a refused connection is status UNAVAILABLE);
 * it rejects with a GatewayError only for what the gateway itself refuses: `overloaded`, `draining`,
 * `caller-cancelled`, `manager-timeout` (its deadline passed).
 * `forward` carries a whole call of any shape and ends it.
 */
export interface Upstream {
  start(): void;
  unary(request: UnaryRequest): Promise<Answer>;
  forward(call: Call): Promise<ForwardOutcome>;
  /** Some manager has answered its last probe. */
  readonly healthy: boolean;
  /** Why there is no healthy manager, and since when, in words for a status message; undefined when healthy. */
  describeTrouble(): string | undefined;
  statuses(): readonly AddressStatus[];
  /** Closes every channel; calls in flight are let finish until `deadlineMs` on the monotonic clock, then cancelled. */
  stop(deadlineMs: number): Promise<void>;
}

export interface ForwardOutcome {
  readonly code: number;
}
