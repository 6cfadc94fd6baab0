import type { RedisEvent } from './events.js';
import type { LogLine } from './log-line.js';
import { tlsFaultIn } from './tls-fault.js';

/** What an event of Redis says in the log: none of them costs a caller anything, and all repeat. */
export function redisLine(event: RedisEvent): LogLine | undefined {
  switch (event.kind) {
    case 'redis-connected':
      return {
        level: 'info',
        msg: 'connected to Redis',
        fields: { event: event.kind },
        repeatKey: event.kind,
      };
    case 'redis-failed': {
      const tls = tlsFaultIn(event);
      return {
        level: 'warn',
        msg: `Redis failed (${event.operation}, ${event.reason}): ${event.detail}; ${event.operation.startsWith('claim-') ? 'claims' : 'answers'} are not shared meanwhile`,
        fields: {
          event: event.kind,
          operation: event.operation,
          reason: event.reason,
          ...(tls && { tls }),
          errorClass: 'transient',
        },
        // One fault fails every operation: it is one line.
        repeatKey: `${event.kind} ${event.reason}`,
      };
    }
    case 'redis-answer-rejected':
      return {
        level: 'warn',
        msg: `an answer to ${event.method} in Redis was not used (${event.reason})`,
        fields: { event: event.kind, method: event.method, reason: event.reason, errorClass: 'permanent' },
        repeatKey: `${event.kind} ${event.reason}`,
      };
    case 'redis-question-rejected':
      return {
        level: 'warn',
        msg: `a question in Redis that callers ask was not used (${event.reason})`,
        fields: { event: event.kind, reason: event.reason, errorClass: 'permanent' },
        repeatKey: `${event.kind} ${event.reason}`,
      };
    case 'redis-registration-rejected':
      return {
        level: 'warn',
        msg: `a registration in Redis was not used (${event.reason})`,
        fields: { event: event.kind, reason: event.reason, errorClass: 'permanent' },
        repeatKey: `${event.kind} ${event.reason}`,
      };
    case 'redis-breaker-changed':
      return {
        level: event.to === 'open' ? 'warn' : 'info',
        msg: `breaker of Redis, ${event.breaker}: ${event.from} → ${event.to}`,
        fields: { event: event.kind, breaker: event.breaker, from: event.from, to: event.to },
        repeatKey: `${event.kind} ${event.breaker} ${event.to}`,
      };
    case 'redis-looked-up':
    case 'redis-store-ended':
      return undefined;
    default:
      return event satisfies never;
  }
}
