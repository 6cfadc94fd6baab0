import type { BreakerStateName } from './manager-event.js';

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
  | `claim-${'take' | 'renew' | 'yield' | 'release' | 'ended' | 'offer' | 'look'}`
  | `registration-${'put' | 'claim' | 'finish' | 'bury' | 'find' | 'list' | 'audit' | 'watch' | 'turn'}`;

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

/** Redis, which replicas share. */
export type RedisEvent =
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
    };
