export type ErrorClass = 'transient' | 'permanent' | 'backpressure' | 'internal';

export type BreakerStateName = 'closed' | 'open' | 'half-open';

export type ChannelCreateReason = 'start' | 'connect-timeout' | 'unresponsive' | 'address-changed';

export type ChannelCloseReason = 'connect-timeout' | 'unresponsive' | 'address-changed' | 'shutdown';

export type AddressState = 'unknown' | 'healthy' | 'slow' | 'failed';

/** What is asked of the managers, and what comes back. */
export type ManagerEvent =
  | { kind: 'breaker-changed'; method: string; from: BreakerStateName; to: BreakerStateName }
  | { kind: 'breaker-refused'; method: string }
  | { kind: 'retry-scheduled'; method: string; attempt: number; delayMs: number }
  | { kind: 'retry-refused'; method: string; reason: 'budget' | 'deadline' }
  | {
      kind: 'manager-answered';
      method: string;
      manager: string;
      code: number;
      latencyMs: number;
      /** undefined: the answer is a fact. */
      errorClass: ErrorClass | undefined;
      detail: string;
    }
  | { kind: 'manager-overloaded'; method: string }
  | { kind: 'channel-created'; manager: string; address: string; reason: ChannelCreateReason }
  | { kind: 'channel-closed'; manager: string; address: string; reason: ChannelCloseReason }
  | {
      kind: 'probe-finished';
      manager: string;
      address: string;
      state: AddressState;
      latencyMs: number;
      detail: string;
    }
  | {
      kind: 'address-state-changed';
      manager: string;
      address: string;
      from: AddressState;
      to: AddressState;
      detail: string;
    }
  | { kind: 'resolve-failed'; manager: string; address: string; detail: string };
