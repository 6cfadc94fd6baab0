import type { RedisErrorReason } from '../observe/events.js';

const BY_WORDS: readonly (readonly [RegExp, RedisErrorReason])[] = [
  [/timed out|timeout|ETIMEDOUT/i, 'timeout'],
  [/NOAUTH|WRONGPASS|NOPERM|ERR AUTH|invalid password/i, 'denied'],
  [/READONLY|MISCONF|read only|NOREPLICAS/i, 'read-only'],
  [/\bOOM\b/, 'out-of-memory'],
  [/protocol error|unexpected reply/i, 'protocol'],
  [
    /LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|BUSY|ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|closed|writeable|ready|unreachable|retries|refresh slots|certificate|SSL|TLS/i,
    'connection',
  ],
];

/** What an error of Redis, or of ioredis, is about. The words are Redis's own; a script's error carries those of the command in it. */
export function reasonOf(error: unknown): RedisErrorReason {
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  if (name === 'ParserError') return 'protocol';
  return BY_WORDS.find(([words]) => words.test(message))?.[1] ?? 'other';
}
