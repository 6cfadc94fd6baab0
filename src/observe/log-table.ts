import type { GatewayEvent } from './events.js';
import { aboutClaim } from './log-claims.js';
import { aboutDisk } from './log-disk.js';
import type { LogLine } from './log-line.js';
import {
  aboutAnswer,
  aboutCache,
  aboutManager,
  aboutSharing,
  forbidden,
  fromCaller,
  managerAnswered,
  overLimit,
} from './log-manager.js';
import { aboutNode } from './log-nodes.js';
import { aboutProcess } from './log-process.js';
import { redisLine } from './log-redis.js';
import { aboutWarmup } from './log-warmup.js';
import { aboutWorld } from './log-world.js';

/** What an event says in the log; undefined: nothing, it is counted only. */
export function logLineOf(event: GatewayEvent): LogLine | undefined {
  switch (event.kind) {
    case 'manager-answered':
      return managerAnswered(event);
    case 'connection-refused':
    case 'bad-input':
      return fromCaller(event);
    case 'limit-reached':
      return overLimit(event);
    case 'client-forbidden':
      return forbidden(event);
    case 'breaker-changed':
    case 'channel-created':
    case 'channel-closed':
    case 'probe-finished':
    case 'address-state-changed':
    case 'resolve-failed':
    case 'manager-overloaded':
      return aboutManager(event);
    case 'warmup-started':
    case 'warmup-finished':
    case 'pace-changed':
    case 'pace-lowered':
      return aboutWarmup(event);
    case 'sharing-changed':
      return aboutSharing(event);
    case 'answer-aged':
      return aboutAnswer(event);
    case 'guard-held':
    case 'guard-released':
    case 'cache-discarded':
      return aboutCache(event);
    case 'world-frozen':
    case 'world-known-again':
    case 'world-cleared':
    case 'world-accepted':
      return aboutWorld(event);
    case 'node-opened':
    case 'node-reopened':
    case 'node-ended':
    case 'node-unshielded':
    case 'openings-lowered':
    case 'node-disputed':
    case 'node-settled':
      return aboutNode(event);
    case 'claim-taken':
    case 'claim-given':
    case 'claim-reasserted':
    case 'claims-unshared':
    case 'claims-shared':
    case 'nodes-recovered':
      return aboutClaim(event);
    case 'directory-unusable':
    case 'directory-taken':
    case 'snapshot-written':
    case 'snapshot-failed':
    case 'snapshot-loaded':
    case 'journal-loaded':
    case 'journal-failed':
    case 'registration-journaled':
    case 'registration-replayed':
    case 'node-registered-again':
      return aboutDisk(event);
    case 'started':
    case 'serving-changed':
    case 'mode-changed':
    case 'maintenance-begun':
    case 'maintenance-ended':
    case 'operator-acted':
    case 'operator-refused':
    case 'config-reloaded':
    case 'config-refused':
    case 'certificate-expiring':
    case 'draining':
    case 'stopped':
    case 'internal-error':
      return aboutProcess(event);
    case 'redis-connected':
    case 'redis-failed':
    case 'redis-looked-up':
    case 'redis-answer-rejected':
    case 'redis-store-ended':
    case 'redis-question-rejected':
    case 'redis-registration-rejected':
    case 'redis-breaker-changed':
      return redisLine(event);
    case 'connection-opened':
    case 'connection-delayed':
    case 'connection-closed':
    case 'call-answered':
    case 'client-allowed':
    case 'would-have-answered':
    case 'cache-stored':
    case 'call-coalesced':
    case 'read-held-back':
    case 'node-looked-at':
    case 'breaker-refused':
    case 'retry-scheduled':
    case 'retry-refused':
      // One for every call or more: metrics, not lines.
      return undefined;
    default:
      return event satisfies never;
  }
}
