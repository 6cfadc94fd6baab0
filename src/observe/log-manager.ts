import { codeName } from '../rpc/status.js';
import type { LogLine, Of } from './log-line.js';
import { tlsFaultIn } from './tls-fault.js';

export function managerAnswered(event: Of<'manager-answered'>): LogLine | undefined {
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

export function overLimit(event: Of<'limit-reached'>): LogLine {
  return {
    level: 'warn',
    msg: `limit reached (${event.limit}): ${event.detail}`,
    fields: { event: event.kind, limit: event.limit, errorClass: 'backpressure' },
    repeatKey: `${event.kind} ${event.limit}`,
  };
}

/** Once for each client, and not again: a fleet that is forbidden something would have nothing else in its log. */
export function forbidden(event: Of<'client-forbidden'>): LogLine | undefined {
  if (!event.isNews) return undefined;
  const { kind, rule, outcome, method, detail } = event;
  return {
    level: 'warn',
    msg: `${outcome === 'refused' ? 'call refused' : 'call let pass, which enforce would refuse'}: ${detail}`,
    fields: { event: kind, rule, outcome, method, errorClass: 'permanent' },
  };
}

export function fromCaller(event: Of<'connection-refused' | 'bad-input'>): LogLine {
  const what = event.kind === 'bad-input' ? 'input refused' : 'connection refused';
  const tls = tlsFaultIn(event);
  return {
    level: event.reason === 'tls-handshake' || event.kind === 'bad-input' ? 'info' : 'warn',
    msg: `${what} (${event.reason}): ${event.detail}`,
    fields: { event: event.kind, reason: event.reason, ...(tls && { tls }), errorClass: 'permanent' },
    repeatKey: `${event.kind} ${event.reason} ${tls ?? ''}`,
  };
}

export function aboutManager(
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
    case 'address-state-changed': {
      const tls = tlsFaultIn(event);
      return {
        level: event.to === 'failed' ? 'error' : event.to === 'slow' ? 'warn' : 'info',
        msg: `manager ${event.address}: ${event.from} → ${event.to}${reasonOf(event)}`,
        fields: {
          event: event.kind,
          manager: event.manager,
          address: event.address,
          from: event.from,
          to: event.to,
          ...(tls && { tls }),
          ...(event.to === 'failed' && { errorClass: 'transient' }),
        },
        repeatKey: `${event.kind} ${event.address}`,
      };
    }
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

export function aboutSharing({ kind, to, detail }: Of<'sharing-changed'>): LogLine {
  const msg = detail === '' ? SHARING[to] : `${SHARING[to]}, because ${detail}`;
  return { level: 'info', msg, fields: { event: kind, to } };
}

/** Of the answers to reads only the last resort is worth a line: counted they all are. */
export function aboutAnswer({ kind, method, source }: Of<'answer-aged'>): LogLine | undefined {
  if (source !== 'elsewhere') return undefined;
  return {
    level: 'warn',
    msg: 'the manager fails, and a caller from where nobody asked before was given the list of another place: the same schedulers, maybe in another order',
    fields: { event: kind, method, source },
    repeatKey: `${kind} ${method} ${source}`,
  };
}

/** A healthy manager needs no reason, and the words of the probe that found it so ("record not found") sound like trouble. */
function reasonOf({ to, detail, address }: Of<'address-state-changed'>): string {
  if (to === 'healthy') return '';
  const reason = detail.replace(/^manager-gateway: /, '').replace(`manager ${address}: `, '');
  return reason === '' ? '' : ` (${reason})`;
}

export function aboutCache(event: Of<'guard-held' | 'guard-released' | 'cache-discarded'>): LogLine {
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
