import { codeName } from '../rpc/status.js';
import type { GatewayEvent } from './events.js';
import { aboutDisk } from './log-disk.js';
import { aboutWarmup } from './log-warmup.js';
import { aboutWorld } from './log-world.js';
import { redisLine } from './redis-log.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** One line of the log. `fields` hold what a machine filters by; `msg` is for the person who is woken. */
export interface LogLine {
  readonly level: LogLevel;
  readonly msg: string;
  readonly fields: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** Lines alike in this are summarised instead of repeated; undefined: each one is news. */
  readonly repeatKey?: string;
  /** For `err`, with its stack. */
  readonly error?: unknown;
}

/** What an event says in the log; undefined: nothing, it is counted only. */
export function logLineOf(event: GatewayEvent): LogLine | undefined {
  switch (event.kind) {
    case 'manager-answered':
      return managerAnswered(event);
    case 'connection-refused':
    case 'bad-input':
      return fromCaller(event);
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
    case 'guard-held':
    case 'guard-released':
    case 'cache-discarded':
      return aboutCache(event);
    case 'world-frozen':
    case 'world-known-again':
    case 'world-cleared':
    case 'world-accepted':
      return aboutWorld(event);
    case 'directory-unusable':
    case 'snapshot-written':
    case 'snapshot-failed':
    case 'snapshot-loaded':
    case 'journal-loaded':
    case 'journal-failed':
    case 'registration-journaled':
    case 'registration-replayed':
      return aboutDisk(event);
    case 'started':
    case 'serving-changed':
    case 'mode-changed':
    case 'config-reloaded':
    case 'config-refused':
    case 'draining':
    case 'stopped':
    case 'internal-error':
      return aboutProcess(event);
    case 'redis-connected':
    case 'redis-failed':
    case 'redis-looked-up':
    case 'redis-answer-rejected':
    case 'redis-store-ended':
    case 'redis-breaker-changed':
      return redisLine(event);
    case 'connection-opened':
    case 'connection-closed':
    case 'call-answered':
    case 'would-have-answered':
    case 'cache-stored':
    case 'answer-aged':
    case 'call-coalesced':
    case 'read-held-back':
    case 'breaker-refused':
    case 'retry-scheduled':
    case 'retry-refused':
      // One for every call or more: metrics, not lines.
      return undefined;
    default:
      return event satisfies never;
  }
}

type Of<K extends GatewayEvent['kind']> = Extract<GatewayEvent, { kind: K }>;

function managerAnswered(event: Of<'manager-answered'>): LogLine | undefined {
  if (event.errorClass === undefined) return undefined;
  const code = codeName(event.code);
  return {
    level: event.errorClass === 'permanent' ? 'info' : 'warn',
    msg: `the manager failed ${event.method}: ${code} ${event.detail.replace(/^manager-gateway: /, '')}`,
    fields: {
      event: event.kind,
      method: event.method,
      manager: event.manager,
      code,
      errorClass: event.errorClass,
      latencyMs: Math.round(event.latencyMs),
    },
    repeatKey: `${event.kind} ${event.method} ${event.manager} ${code} ${event.errorClass}`,
  };
}

function fromCaller(event: Of<'connection-refused' | 'bad-input'>): LogLine {
  const what = event.kind === 'bad-input' ? 'input refused' : 'connection refused';
  return {
    level: event.reason === 'tls-handshake' || event.kind === 'bad-input' ? 'info' : 'warn',
    msg: `${what} (${event.reason}): ${event.detail}`,
    fields: { event: event.kind, reason: event.reason, errorClass: 'permanent' },
    repeatKey: `${event.kind} ${event.reason}`,
  };
}

function aboutManager(
  event: Of<
    | 'breaker-changed'
    | 'channel-created'
    | 'channel-closed'
    | 'probe-finished'
    | 'address-state-changed'
    | 'resolve-failed'
    | 'manager-overloaded'
  >,
): LogLine {
  switch (event.kind) {
    case 'breaker-changed':
      return {
        level: event.to === 'open' ? 'warn' : 'info',
        msg: `breaker of ${event.method}: ${event.from} → ${event.to}`,
        fields: { event: event.kind, method: event.method, from: event.from, to: event.to },
        // Not by state: a summary tells the last one, and must not come after the line that tells a later one.
        repeatKey: `${event.kind} ${event.method}`,
      };
    case 'channel-created':
    case 'channel-closed': {
      const what = event.kind === 'channel-created' ? 'created' : 'closed';
      return {
        level: 'info',
        msg: `channel to ${event.address} ${what} (${event.reason})`,
        fields: { event: event.kind, manager: event.manager, address: event.address, reason: event.reason },
        repeatKey: `${event.kind} ${event.manager} ${event.reason}`,
      };
    }
    case 'probe-finished':
      return {
        level: 'debug',
        msg: `probe of ${event.address}: ${event.state} in ${Math.round(event.latencyMs)} ms ${event.detail}`,
        fields: { event: event.kind, manager: event.manager, address: event.address, state: event.state },
      };
    case 'address-state-changed':
      return {
        level: event.to === 'failed' ? 'error' : event.to === 'slow' ? 'warn' : 'info',
        msg: `manager ${event.address}: ${event.from} → ${event.to}${reasonOf(event)}`,
        fields: {
          event: event.kind,
          manager: event.manager,
          address: event.address,
          from: event.from,
          to: event.to,
        },
        repeatKey: `${event.kind} ${event.address}`,
      };
    case 'resolve-failed':
      return {
        level: 'error',
        msg: `${event.address} cannot be resolved: ${event.detail}`,
        fields: {
          event: event.kind,
          manager: event.manager,
          address: event.address,
          errorClass: 'transient',
        },
        repeatKey: `${event.kind} ${event.manager}`,
      };
    case 'manager-overloaded':
      return {
        level: 'warn',
        msg: `${event.method} refused: managers.maxInFlight attempts are under way, and as many wait`,
        fields: { event: event.kind, method: event.method, errorClass: 'backpressure' },
        repeatKey: `${event.kind} ${event.method}`,
      };
    default:
      return event satisfies never;
  }
}

const SHARING = {
  own: 'lists of schedulers are not shared: each caller has its own',
  place: 'lists of schedulers are shared by callers of one idc and location',
  blocks: 'lists of schedulers are shared by callers of one idc, location and set of network blocks',
} as const;

function aboutSharing({ kind, to, detail }: Of<'sharing-changed'>): LogLine {
  const msg = detail === '' ? SHARING[to] : `${SHARING[to]}, because ${detail}`;
  return { level: 'info', msg, fields: { event: kind, to } };
}

/** A healthy manager needs no reason, and the words of the probe that found it so ("record not found") sound like trouble. */
function reasonOf({ to, detail, address }: Of<'address-state-changed'>): string {
  if (to === 'healthy') return '';
  const reason = detail.replace(/^manager-gateway: /, '').replace(`manager ${address}: `, '');
  return reason === '' ? '' : ` (${reason})`;
}

function aboutCache(event: Of<'guard-held' | 'guard-released' | 'cache-discarded'>): LogLine {
  const fields = { event: event.kind, method: event.method, reason: event.reason };
  const repeatKey = `${event.kind} ${event.method} ${event.reason}`;
  switch (event.kind) {
    case 'guard-held':
      return {
        level: 'warn',
        msg: `the manager's answer to ${event.method} is poorer (${event.reason}) than the last good one, which is served until cache.emptyHold has passed`,
        fields,
        repeatKey,
      };
    case 'guard-released':
      return {
        level: 'warn',
        msg: `the poorer answer to ${event.method} (${event.reason}) has outlasted cache.emptyHold and is served now`,
        fields,
        repeatKey,
      };
    case 'cache-discarded':
      return { level: 'debug', msg: `an answer to ${event.method} was not kept (${event.reason})`, fields };
    default:
      return event satisfies never;
  }
}

function aboutProcess(
  event: Of<
    | 'started'
    | 'serving-changed'
    | 'mode-changed'
    | 'config-reloaded'
    | 'config-refused'
    | 'draining'
    | 'stopped'
    | 'internal-error'
  >,
): LogLine {
  const base = { event: event.kind };
  switch (event.kind) {
    case 'started':
      return {
        level: 'info',
        msg: `manager-gateway ${event.version} answers on ${event.listen} in mode ${event.mode}`,
        fields: {
          ...base,
          version: event.version,
          mode: event.mode,
          listen: event.listen,
          metrics: event.metrics,
          admin: event.admin,
        },
      };
    case 'serving-changed':
      return {
        level: event.reason === undefined ? 'info' : 'error',
        msg: event.reason === undefined ? 'health says SERVING' : `health says NOT_SERVING: ${event.reason}`,
        fields: { ...base, serving: event.reason === undefined },
      };
    case 'mode-changed':
      return {
        level: 'warn',
        msg: `mode: ${event.from} → ${event.to}`,
        fields: { ...base, from: event.from, to: event.to },
      };
    case 'config-reloaded': {
      const rest =
        event.needRestart.length > 0 ? `; a restart is needed for ${event.needRestart.join(', ')}` : '';
      const applied = event.applied.length > 0 ? event.applied.join(', ') : 'nothing to apply';
      return {
        level: event.needRestart.length > 0 ? 'warn' : 'info',
        msg: `configuration read again: ${applied}${rest}`,
        fields: { ...base, applied: event.applied, needRestart: event.needRestart },
      };
    }
    case 'config-refused':
      return {
        level: 'error',
        msg: `configuration refused, the old one stays: ${event.detail}`,
        fields: { ...base, errorClass: 'permanent' },
      };
    case 'draining':
      return {
        level: 'info',
        msg: `draining: ${event.connections} connections, health says NOT_SERVING`,
        fields: { ...base, connections: event.connections },
      };
    case 'stopped':
      return {
        level: event.clean ? 'info' : 'warn',
        msg: `stopped: ${event.detail}`,
        fields: { ...base, clean: event.clean },
      };
    case 'internal-error':
      return {
        level: 'error',
        msg: `internal error in ${event.where}`,
        fields: { ...base, where: event.where, errorClass: 'internal' },
        repeatKey: `${event.kind} ${event.where}`,
        error: event.error,
      };
    default:
      return event satisfies never;
  }
}
