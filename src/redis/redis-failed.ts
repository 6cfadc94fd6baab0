import type { RedisEvent, RedisOperation } from '../observe/events.js';
import { reasonOf } from './classify-error.js';

/** What is told of a command, or of a connection, that failed. */
export function redisFailed(operation: RedisOperation, error: unknown): RedisEvent {
  const detail = error instanceof Error ? error.message : String(error);
  return { kind: 'redis-failed', operation, reason: reasonOf(error), detail };
}
