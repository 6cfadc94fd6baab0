/** How a caller was answered. `local`: by the gateway itself (health); `forwarded`: passed through. */
export type AnswerKind = 'hit' | 'stale' | 'miss' | 'forwarded' | 'local' | 'refused';

/**
 * Whose answer a read was given: the caller's own, that of all who would get the same, one that his like were given, or, as a
 * last resort, one that callers of another place were given.
 */
export type AnswerSource = 'own' | 'shared' | 'sibling' | 'elsewhere';

export type ConnectionCloseReason =
  | 'client'
  | 'ping-timeout'
  | 'first-frame'
  | 'idle'
  | 'limit'
  | 'drain'
  | 'protocol-error'
  | 'error';

export type ConnectionRefuseReason = 'max-connections' | 'max-per-address' | 'tls-handshake' | 'draining';

/** What a caller, or all of them, may not have more of. */
export type LimitName =
  | 'resets'
  | 'pings'
  | 'settings'
  | 'refusals'
  | 'asking'
  | 'empty-frames'
  | 'bytes-in-flight'
  | 'memory';

/** Whether it was let pass: `server.clients.mode`. */
export type ForbiddenOutcome = 'warned' | 'refused';

export type BadInputReason = 'frame' | 'message-too-large' | 'metadata' | 'encoding' | 'path' | 'protocol';

/** What callers do, and what they get. */
export type CallerEvent =
  // downstream
  | { kind: 'connection-opened' }
  /** From where another one has just been cut off: it waits for a moment before it is read. */
  | { kind: 'connection-delayed' }
  | { kind: 'connection-closed'; reason: ConnectionCloseReason }
  | { kind: 'connection-refused'; reason: ConnectionRefuseReason; detail: string }
  | { kind: 'bad-input'; reason: BadInputReason; detail: string }
  | { kind: 'limit-reached'; limit: LimitName; detail: string }
  /** `server.clients`: what a rule allows, and what none does. `rule`: as it is named, or `none`. `isNews`: the first time of this client. */
  | { kind: 'client-allowed'; rule: string }
  | {
      kind: 'client-forbidden';
      rule: string;
      outcome: ForbiddenOutcome;
      method: string;
      isNews: boolean;
      detail: string;
    }
  | { kind: 'call-answered'; method: string; answer: AnswerKind; code: number; durationMs: number }
  | { kind: 'answer-aged'; method: string; ageMs: number; source: AnswerSource }
  | { kind: 'call-coalesced'; method: string }
  // observe mode: what would have been answered
  | {
      kind: 'would-have-answered';
      method: string;
      answer: 'hit' | 'stale' | 'miss';
      source: AnswerSource;
    };
