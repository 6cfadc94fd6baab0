import type { GatewayEvent } from './events.js';
import type { LogLine } from './log-line.js';

type WarmupEvent = Extract<
  GatewayEvent,
  { kind: 'warmup-started' | 'warmup-finished' | 'pace-changed' | 'pace-lowered' }
>;

/** What the warm-up and the ramp say in the log. */
export function aboutWarmup(event: WarmupEvent): LogLine {
  const repeatKey = event.kind;
  switch (event.kind) {
    case 'warmup-started': {
      const { kind, reason, keys } = event;
      const why = reason === 'start' ? 'at the start' : 'a manager is back';
      return {
        level: 'info',
        msg: `refreshing ${keys} answers (${why})`,
        fields: { event: kind, reason, keys },
        repeatKey,
      };
    }
    case 'warmup-finished': {
      const { kind, finished, keys, refreshed, failed, durationMs } = event;
      const seconds = (durationMs / 1000).toFixed(1);
      const end = finished ? `in ${seconds} s` : `given up after ${seconds} s: the managers went away`;
      return {
        level: finished ? 'info' : 'warn',
        msg: `refreshed ${refreshed} of ${keys} answers ${end}`,
        fields: { event: kind, finished, keys, refreshed, failed, durationMs: Math.round(durationMs) },
        repeatKey,
      };
    }
    case 'pace-changed': {
      const { kind, from, to } = event;
      return {
        level: to === 'away' ? 'warn' : 'info',
        msg: PACE[to],
        fields: { event: kind, from, to },
        repeatKey: `${kind} ${to}`,
      };
    }
    case 'pace-lowered': {
      const perSecond = Math.round(event.perSecond * 10) / 10;
      return {
        level: 'warn',
        msg: `the manager asks for less: refreshes go on at ${perSecond} a second`,
        fields: { event: event.kind, perSecond, errorClass: 'backpressure' },
        repeatKey,
      };
    }
    default:
      return event satisfies never;
  }
}

const PACE = {
  away: 'no manager answers: what is remembered is served',
  ramp: 'a manager is back: what expired meanwhile is asked for step by step',
  idle: 'what expired while the managers were away has been caught up with',
} as const;
