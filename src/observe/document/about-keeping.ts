import type { DiskEvent, RedisEvent } from '../events.js';
import type { Explanations } from './explained.js';

const LIST = 'manager.v2.Manager/ListSchedulers';
const DIR = '/var/lib/dragonfly/manager-gateway';

/** What is kept outside of the process: on disk, and in Redis. */
export const ABOUT_KEEPING = {
  'directory-unusable': [
    {
      event: {
        kind: 'directory-unusable',
        dir: DIR,
        detail: "EACCES: permission denied, mkdir '/var/lib/dragonfly'",
      },
      todo: 'Mount a volume there that uid 65532 can write to, or set `snapshot.dir` to "" if a cold restart is meant. What runs goes on; it is tried again every 5 s.',
    },
    {
      event: {
        kind: 'directory-unusable',
        dir: DIR,
        detail: 'another gateway uses it: process 1, since 2026-01-01T00:00:00.000Z',
      },
      todo: 'During a rollout: nothing, it is had once the old one has ended. Otherwise two gateways share one directory: each needs its own.',
    },
  ],
  'directory-taken': [{ event: { kind: 'directory-taken', dir: DIR }, todo: 'Nothing: it works again.' }],
  'snapshot-written': [
    {
      event: { kind: 'snapshot-written', entries: 412, sizeBytes: 390_112, durationMs: 9 },
      todo: 'Nothing.',
    },
  ],
  'snapshot-failed': [
    {
      event: { kind: 'snapshot-failed' },
      means: 'A snapshot could not be written; `directory-unusable` says why, once.',
    },
  ],
  'snapshot-loaded': [
    {
      event: { kind: 'snapshot-loaded', entries: 412, damagedBytes: 0, ignored: 0, newestAgeMs: 8_000 },
      todo: 'Nothing: the restart was warm.',
    },
    {
      event: { kind: 'snapshot-loaded', entries: 409, damagedBytes: 1_204, ignored: 0, newestAgeMs: 8_000 },
      todo: 'Some answers are lost and are asked for again. Look at the disk. Where nothing could be used, the file is kept as `answers-….unused`.',
    },
  ],
  'journal-loaded': [
    {
      event: { kind: 'journal-loaded', known: 31, pending: 2, damagedBytes: 0, ignored: 0 },
      todo: 'Nothing: `pending` ones are made up for once a manager answers.',
    },
    {
      event: { kind: 'journal-loaded', known: 31, pending: 2, damagedBytes: 96, ignored: 0 },
      todo: 'Look at the disk. The file is kept as `registrations-….damaged`. A registration that was acknowledged may be lost: a node that the manager does not show is to be restarted.',
    },
  ],
  'journal-failed': [
    {
      event: { kind: 'journal-failed', detail: 'ENOSPC: no space left on device, write' },
      todo: 'Make room at `snapshot.dir`. Until then, while the managers are away, nodes that register get UNAVAILABLE and exit.',
    },
  ],
  'registration-journaled': [
    {
      event: { kind: 'registration-journaled', node: 'scheduler' },
      todo: 'Nothing for the node: it has started. Bring the manager back; `registration-replayed` follows.',
    },
  ],
  'registration-replayed': [
    { event: { kind: 'registration-replayed', outcome: 'applied' }, todo: 'Nothing.' },
    {
      event: { kind: 'registration-replayed', outcome: 'refused' },
      todo: 'The manager does not take what was acknowledged in its place: the node runs and the manager does not know it, or knows it otherwise. Look at its row in the console, and restart the node.',
    },
  ],
  'redis-connected': [{ event: { kind: 'redis-connected' }, todo: 'Nothing.' }],
  'redis-failed': [
    {
      event: {
        kind: 'redis-failed',
        operation: 'connect',
        reason: 'connection',
        detail: 'connect ECONNREFUSED 10.0.0.8:6379',
      },
      todo: 'Redis is away, or `redis.addrs` or `redis.tls` is wrong: `manager-gateway doctor`. Nobody gets a worse answer for it; replicas just know less of each other.',
    },
    {
      event: {
        kind: 'redis-failed',
        operation: 'look-up',
        reason: 'timeout',
        detail: 'timed out after 100 ms',
      },
      todo: 'Redis is slower than `redis.timeout`: is it overloaded, swapping, far away?',
    },
    {
      event: {
        kind: 'redis-failed',
        operation: 'store',
        reason: 'denied',
        detail: "NOPERM this user has no permissions to run the 'evalsha' command",
      },
      todo: 'Password, user or ACL. `manager-gateway doctor` names what is missing.',
    },
    {
      event: {
        kind: 'redis-failed',
        operation: 'store',
        reason: 'read-only',
        detail: "READONLY You can't write against a read only replica.",
      },
      todo: 'A failover is under way, or the address is that of a replica: use Sentinel, or the address of the master.',
    },
    {
      event: {
        kind: 'redis-failed',
        operation: 'store',
        reason: 'out-of-memory',
        detail: "OOM command not allowed when used memory > 'maxmemory'.",
      },
      todo: 'Redis is full: more `maxmemory`, or a Redis of its own. No eviction policy: it would also take claims on nodes and marks of writes.',
    },
  ],
  'redis-looked-up': [
    {
      event: { kind: 'redis-looked-up', result: 'newer' },
      means: 'Redis was looked into, and what was there.',
    },
  ],
  'redis-store-ended': [
    {
      event: { kind: 'redis-store-ended', result: 'stored' },
      means: 'An answer was offered to Redis, and what became of it.',
    },
  ],
  'redis-answer-rejected': [
    {
      event: { kind: 'redis-answer-rejected', reason: 'check', method: LIST },
      todo: 'It was not signed with our `redis.secret`, or was altered: do all replicas have the same one? If they do, somebody else writes there. It was removed, and the manager was asked.',
    },
    {
      event: { kind: 'redis-answer-rejected', reason: 'unknown-schema', method: LIST },
      todo: 'A newer gateway writes to the same Redis: during a rollout nothing.',
    },
    {
      event: { kind: 'redis-answer-rejected', reason: 'went-back', method: LIST },
      todo: 'Older than what was there before: a failover to a replica of Redis that lagged. Without one: somebody puts old answers back.',
    },
  ],
  'redis-registration-rejected': [
    {
      event: { kind: 'redis-registration-rejected', reason: 'check' },
      todo: 'As `redis-answer-rejected`. It is left there: with another `redis.secret` it may be sound. Registrations acknowledged under another secret are made up for by who acknowledged them.',
    },
  ],
  'redis-question-rejected': [
    { event: { kind: 'redis-question-rejected', reason: 'check' }, todo: 'As `redis-answer-rejected`.' },
  ],
  'redis-breaker-changed': [
    {
      event: { kind: 'redis-breaker-changed', breaker: 'reads', from: 'closed', to: 'open' },
      todo: 'The `redis-failed` before it says why. Redis is tried again every second, and nobody waits for it.',
    },
    {
      event: { kind: 'redis-breaker-changed', breaker: 'reads', from: 'half-open', to: 'closed' },
      todo: 'Nothing.',
    },
  ],
} satisfies Explanations<(DiskEvent | RedisEvent)['kind']>;
