/**
 * Everything worth knowing that happens in the gateway, as one union. Stages emit; metrics, logs and later the
 * admin page subscribe. Nothing here is a host name or an address of a caller; `manager` is the position of the
 * address in `managers.addrs` ("0", "1"), which is a closed set, `address` is for logs only.
 */
export type ErrorClass = 'transient' | 'permanent' | 'backpressure' | 'internal';

export type BreakerStateName = 'closed' | 'open' | 'half-open';

/** How a caller was answered. `local`: by the gateway itself (health); `forwarded`: passed through. */
export type AnswerKind = 'hit' | 'stale' | 'miss' | 'forwarded' | 'local' | 'refused';

export type ChannelCreateReason = 'start' | 'connect-timeout' | 'unresponsive' | 'address-changed';
export type ChannelCloseReason = 'connect-timeout' | 'unresponsive' | 'address-changed' | 'shutdown';
export type ConnectionCloseReason = 'client' | 'ping-timeout' | 'drain' | 'protocol-error' | 'error';
export type ConnectionRefuseReason = 'max-connections' | 'tls-handshake' | 'draining';
export type AddressState = 'unknown' | 'healthy' | 'slow' | 'failed';
export type DiscardReason = 'asked-earlier' | 'voided-by-write' | 'too-large' | 'unreadable';
export type PoorerReason = 'empty-list' | 'record-not-found' | 'without-cluster' | 'lost-live-node';
export type BadInputReason = 'frame' | 'message-too-large' | 'metadata' | 'encoding' | 'path' | 'protocol';

export type GatewayEvent =
  // downstream
  | { kind: 'connection-opened' }
  | { kind: 'connection-closed'; reason: ConnectionCloseReason }
  | { kind: 'connection-refused'; reason: ConnectionRefuseReason; detail: string }
  | { kind: 'bad-input'; reason: BadInputReason; detail: string }
  | { kind: 'call-answered'; method: string; answer: AnswerKind; code: number; durationMs: number }
  // observe mode: what would have been answered
  | { kind: 'would-have-answered'; method: string; answer: 'hit' | 'stale' | 'miss' }
  // cache
  | { kind: 'cache-stored'; method: string; sizeBytes: number }
  | { kind: 'cache-discarded'; method: string; reason: DiscardReason }
  | { kind: 'guard-held'; method: string; reason: PoorerReason }
  | { kind: 'guard-released'; method: string; reason: PoorerReason }
  | { kind: 'answer-aged'; method: string; ageMs: number }
  | { kind: 'call-coalesced'; method: string }
  // towards the manager
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
  | { kind: 'resolve-failed'; manager: string; address: string; detail: string }
  // the process
  | { kind: 'started'; version: string; mode: string; listen: string; metrics: string; admin: string }
  /** What health says from now on; `reason`: why it does not say SERVING. */
  | { kind: 'serving-changed'; reason: string | undefined }
  | { kind: 'mode-changed'; from: string; to: string }
  | { kind: 'config-reloaded'; applied: readonly string[]; needRestart: readonly string[] }
  | { kind: 'config-refused'; detail: string }
  | { kind: 'draining'; connections: number }
  | { kind: 'stopped'; clean: boolean; detail: string }
  | { kind: 'internal-error'; where: string; error: unknown };

export type Emit = (event: GatewayEvent) => void;
