import type { Config } from '../config/config.js';
import type { AddressState } from '../observe/events.js';
import type { Answer } from '../rpc/answer.js';
import type { Call, UnaryRequest } from '../rpc/call.js';
import type { Line } from './line.js';

export type { Answer } from '../rpc/answer.js';

/** How one address is doing. `sinceMs` on the monotonic clock. */
export interface AddressStatus {
  readonly manager: string;
  readonly address: string;
  readonly state: AddressState;
  readonly sinceMs: number;
  readonly latencyMs: number | undefined;
  readonly detail: string;
  readonly channels: number;
  /** Connected, and not known to be mute. */
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
  /**
   * The best line for a stream now: good ones of the best address, equally good ones in turn; undefined: none is good.
   * `not`: rather another one, if that is not one of a failed address. In place of one that is mute only one that has answered what was
   * asked after that had fallen silent: connections of one frozen manager are found to be mute one by one.
   */
  line(not?: Line): Line | undefined;
  /** A good line to this very address (`ip:port`), to ask the manager there and no other. */
  lineTo(address: string): Line | undefined;
  /** Tells that some line may be good that was not before; returns the way to stop. */
  watchLines(changed: () => void): () => void;
  /** Some manager has answered its last probe. */
  readonly healthy: boolean;
  /** Why there is no healthy manager, and since when, in words for a status message; undefined when healthy. */
  describeTrouble(): string | undefined;
  statuses(): readonly AddressStatus[];
  /** Other managers from now on; calls in flight at those that go are let finish. */
  setAddresses(addrs: Config['managers']['addrs']): void;
  /** Closes every channel; calls in flight are let finish until `deadlineMs` on the monotonic clock, then cancelled. */
  stop(deadlineMs: number): Promise<void>;
}

export interface ForwardOutcome {
  readonly code: number;
}
