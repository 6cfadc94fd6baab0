/**
 * Everything worth knowing that happens in the gateway, as one union. Stages emit; metrics, logs and later the
 * admin page subscribe. Nothing here is a host name or an address of a caller, but in `detail`, which is for logs only; `manager` is the position of the
 * address in `managers.addrs` ("0", "1"), which is a closed set, `address` is for logs only.
 */
export type ErrorClass = 'transient' | 'permanent' | 'backpressure' | 'internal';

export type BreakerStateName = 'closed' | 'open' | 'half-open';

/** `away`: no manager answers; `ramp`: one is back, and is asked step by step. */
export type PaceStateName = 'idle' | 'away' | 'ramp';

/** How a caller was answered. `local`: by the gateway itself (health); `forwarded`: passed through. */
export type AnswerKind = 'hit' | 'stale' | 'miss' | 'forwarded' | 'local' | 'refused';

/**
 * Whose answer a read was given: the caller's own, that of all who would get the same, one that his like were given, or, as a
 * last resort, one that callers of another place were given.
 */
export type AnswerSource = 'own' | 'shared' | 'sibling' | 'elsewhere';

export type ChannelCreateReason = 'start' | 'connect-timeout' | 'unresponsive' | 'address-changed';
export type ChannelCloseReason = 'connect-timeout' | 'unresponsive' | 'address-changed' | 'shutdown';
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
export type AddressState = 'unknown' | 'healthy' | 'slow' | 'failed';
export type DiscardReason = 'asked-earlier' | 'voided-by-write' | 'too-large' | 'unreadable';
export type PoorerReason = 'empty-list' | 'record-not-found' | 'without-cluster' | 'lost-live-node';
export type BadInputReason = 'frame' | 'message-too-large' | 'metadata' | 'encoding' | 'path' | 'protocol';

export type RedisOperation =
  | 'connect'
  | 'subscribe'
  | 'look-up'
  | 'pulse'
  | 'store'
  | 'mark'
  | 'drop'
  | 'add-asked'
  | 'read-asked'
  | `claim-${'take' | 'renew' | 'yield' | 'release' | 'offer' | 'look'}`
  | `registration-${'put' | 'claim' | 'finish' | 'bury' | 'find' | 'list' | 'audit' | 'turn'}`;
export type RedisBreakerName = 'reads' | 'writes' | 'claims' | 'registrations';
export type RedisErrorReason =
  | 'timeout'
  | 'connection'
  | 'denied'
  | 'read-only'
  | 'out-of-memory'
  | 'protocol'
  | 'other';
/** `check`: HMAC or checksum; `went-back`: older than what this process has seen in its place. */
export type RedisRejectReason =
  | 'unreadable'
  | 'check'
  | 'unknown-schema'
  | 'from-the-future'
  | 'went-back'
  | 'too-large'
  | 'other-type';
export type RegistrationRejectReason = Extract<RedisRejectReason, 'unreadable' | 'check' | 'unknown-schema'>;
export type RedisLookUpResult = 'newer' | 'older' | 'none';
export type RedisStoreResult = 'stored' | 'asked-earlier' | 'other-schema' | 'too-large';

export type ReplayOutcome = 'applied' | 'there-already' | 'dead' | 'refused' | 'superseded' | 'later';

export type NodeKind = 'scheduler' | 'seed-peer';

/** Why a node has another stream at the manager than before. */
export type ReopenReason =
  /** Its connection was lost. */
  | 'link-broken'
  /** The manager, or a change of channels here, is about to close its connection. */
  | 'leaving'
  /** Its connection says nothing any more, and another one does. */
  | 'mute'
  /** The manager ended it with a fault of its own. */
  | 'manager-error'
  /** The manager did not know the node, and does again. */
  | 'registered'
  /** The manager shows a live node as inactive. */
  | 'inactive'
  /** A replica that was late has ended a stream of the node. */
  | 'reassert'
  /** From a replica that has gone, or in the place of one that has ended its own. */
  | 'taken-over'
  /** The node was silent, and beats again. */
  | 'awake';

/** Why a node has no stream at the manager any more. */
export type NodeEndReason =
  /** Its last stream below was ended by itself. */
  | 'left'
  /** Its connection was lost, and it has not come back within `keepAlive.grace`. */
  | 'lost'
  /** It missed three of its beats. */
  | 'silent'
  /** The manager ended it, with what the node was told. */
  | 'answered'
  /** Another replica has taken it. */
  | 'yielded'
  /** The operator said so. */
  | 'forgotten'
  /** The gateway is stopping. */
  | 'stopping';

/** `unknown`: it could not be asked, or spoke of another row. */
export type NodeSays = 'active' | 'inactive' | 'gone' | 'unknown';
/** From whom a replica has a node: `given`: its holder has let go; `expired`: of a dead one; `forced`: of one that did not answer. */
export type ClaimWhence = 'nobody' | 'given' | 'expired' | 'forced' | 'recovered' | 'unshared';
/** `late`: another one had taken it already. */
export type ClaimGivenReason = 'wanted' | 'late';

/** To whom the gateway shows a certificate of its own: to callers, to managers, to Redis. */
export const CERTIFICATE_USES = ['server', 'manager', 'redis'] as const;
export type CertificateUse = (typeof CERTIFICATE_USES)[number];

export type GatewayEvent =
  // downstream
  | { kind: 'connection-opened' }
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
  // observe mode: what would have been answered
  | {
      kind: 'would-have-answered';
      method: string;
      answer: 'hit' | 'stale' | 'miss';
      source: AnswerSource;
    }
  // cache
  | { kind: 'cache-stored'; method: string; sizeBytes: number }
  | { kind: 'cache-discarded'; method: string; reason: DiscardReason }
  | { kind: 'guard-held'; method: string; reason: PoorerReason }
  | { kind: 'guard-released'; method: string; reason: PoorerReason }
  | { kind: 'answer-aged'; method: string; ageMs: number; source: AnswerSource }
  | { kind: 'call-coalesced'; method: string }
  // sharing: on what lists of schedulers are now known to depend
  | { kind: 'sharing-changed'; to: 'own' | 'place' | 'blocks'; detail: string }
  // on disk
  | { kind: 'directory-unusable'; dir: string; detail: string }
  /** It could not be used before. */
  | { kind: 'directory-taken'; dir: string }
  | { kind: 'snapshot-written'; entries: number; sizeBytes: number; durationMs: number }
  | { kind: 'snapshot-failed' }
  | {
      kind: 'snapshot-loaded';
      entries: number;
      damagedBytes: number;
      ignored: number;
      newestAgeMs: number | undefined;
    }
  // warm-up, and the return of the manager
  | { kind: 'warmup-started'; reason: 'start' | 'return'; keys: number }
  | {
      kind: 'warmup-finished';
      /** False: the managers went away in the middle of it. */
      finished: boolean;
      keys: number;
      refreshed: number;
      failed: number;
      durationMs: number;
    }
  | { kind: 'pace-changed'; from: PaceStateName; to: PaceStateName }
  | { kind: 'pace-lowered'; perSecond: number }
  | { kind: 'read-held-back'; method: string }
  // registrations
  | { kind: 'journal-loaded'; known: number; pending: number; damagedBytes: number; ignored: number }
  | { kind: 'journal-failed'; detail: string }
  | { kind: 'registration-journaled'; node: 'scheduler' | 'seed-peer' }
  | { kind: 'registration-replayed'; outcome: ReplayOutcome }
  /** The manager did not know a live node: what became of its registration, sent again. */
  | {
      kind: 'node-registered-again';
      node: NodeKind;
      outcome: 'applied' | 'there-already' | 'refused' | 'later';
    }
  // is it still the same manager?
  | { kind: 'world-frozen'; detail: string }
  | { kind: 'world-known-again' }
  | { kind: 'world-cleared' }
  | { kind: 'world-accepted' }
  // nodes: what their KeepAlive streams at the manager do
  | { kind: 'node-opened'; node: NodeKind; manager: string }
  /** `gapMs`: how long it had none; 0 where nobody knows. `detail`: what ended the one before, if nobody here did. */
  | {
      kind: 'node-reopened';
      node: NodeKind;
      manager: string;
      reason: ReopenReason;
      gapMs: number;
      detail: string;
    }
  | { kind: 'node-ended'; node: NodeKind; reason: NodeEndReason; detail: string }
  /** At the start: nodes that were here before, that another replica has by now, and that may have died since. */
  | { kind: 'nodes-recovered'; recovered: number; elsewhere: number; tooOld: number }
  // which replica holds them
  | { kind: 'claim-taken'; whence: ClaimWhence }
  | { kind: 'claim-given'; reason: ClaimGivenReason }
  /** A replica that was late has ended a stream of the node: ours is replaced. */
  | { kind: 'claim-reasserted' }
  /** Redis is away, and every replica holds what it has; or it is back. */
  | { kind: 'claims-unshared'; claims: number }
  | { kind: 'claims-shared'; claims: number }
  /** There are as many nodes as can be held: the stream is forwarded as it is. */
  | { kind: 'node-unshielded' }
  | { kind: 'openings-lowered'; perSecond: number }
  // nodes: what the managers say of them
  | { kind: 'node-looked-at'; node: NodeKind; says: NodeSays }
  /** The manager says so of a node that is alive here: once for each time it begins to. */
  | { kind: 'node-disputed'; node: NodeKind; says: 'inactive' | 'gone' }
  /** It says active again, so long after it was first seen to say otherwise. */
  | { kind: 'node-settled'; node: NodeKind; disputedMs: number }
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
  // Redis
  | { kind: 'redis-connected' }
  | { kind: 'redis-failed'; operation: RedisOperation; reason: RedisErrorReason; detail: string }
  | { kind: 'redis-looked-up'; result: RedisLookUpResult }
  | { kind: 'redis-answer-rejected'; reason: RedisRejectReason; method: string }
  | { kind: 'redis-store-ended'; result: RedisStoreResult }
  | { kind: 'redis-question-rejected'; reason: 'check' | 'unreadable' }
  | { kind: 'redis-registration-rejected'; reason: RegistrationRejectReason }
  | {
      kind: 'redis-breaker-changed';
      breaker: RedisBreakerName;
      from: BreakerStateName;
      to: BreakerStateName;
    }
  // the process
  | { kind: 'started'; version: string; mode: string; listen: string; metrics: string; admin: string }
  /** What health says from now on; `reason`: why it does not say SERVING. */
  | { kind: 'serving-changed'; reason: string | undefined }
  | { kind: 'mode-changed'; from: string; to: string }
  | { kind: 'maintenance-begun'; durationMs: number }
  | { kind: 'maintenance-ended' }
  /** Somebody with the token has done this; `from`: the address of his connection. */
  | { kind: 'operator-acted'; action: string; detail: string; from: string }
  /** Somebody without the token has tried. */
  | { kind: 'operator-refused'; action: string; from: string }
  | { kind: 'config-reloaded'; applied: readonly string[]; needRestart: readonly string[] }
  | { kind: 'config-refused'; detail: string }
  /** `atMs`: Unix time; `leftMs` below 0: it has expired. */
  | { kind: 'certificate-expiring'; use: CertificateUse; atMs: number; leftMs: number }
  | { kind: 'draining'; connections: number }
  | { kind: 'stopped'; clean: boolean; detail: string }
  | { kind: 'internal-error'; where: string; error: unknown };

export type Emit = (event: GatewayEvent) => void;
