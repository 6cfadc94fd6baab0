import type { GatewayEvent } from '../../observe/events.js';
import type { History } from '../../observe/history.js';
import type { LogLine } from '../../observe/log-line.js';
import type { EventStream } from '../http-server.js';

/** What a page is told as it happens: a sample each few seconds, and what the log warns of. */
export interface Live {
  readonly subscriber: (event: GatewayEvent) => void;
  readonly stream: EventStream;
  /** The newest warnings, oldest first, for `GET /api/warnings`. */
  warnings(): readonly Warning[];
}

export interface Warning {
  readonly at: string;
  readonly level: string;
  readonly event: string;
  readonly text: string;
}

const KEPT = 200;
/** A storm of warnings is for the log; a page that gets more than this has had enough to read. */
const PER_SECOND = 20;
const SHOWN = new Set(['warn', 'error', 'fatal']);

export interface LiveOptions {
  readonly history: History;
  readonly status: () => unknown;
  readonly lineOf: (event: GatewayEvent) => LogLine | undefined;
  readonly nowMs: () => number;
  readonly wallMs: () => number;
}

export function createLive({ history, status, lineOf, nowMs, wallMs }: LiveOptions): Live {
  const kept: Warning[] = [];
  const watchers = new Set<(warning: Warning) => void>();
  let second = 0;
  let inSecond = 0;

  const isTooMuch = (): boolean => {
    const now = Math.floor(nowMs() / 1_000);
    if (now !== second) [second, inSecond] = [now, 0];
    return ++inSecond > PER_SECOND;
  };

  return {
    subscriber(event) {
      const line = lineOf(event);
      if (line === undefined || !SHOWN.has(line.level) || isTooMuch()) return;
      const warning = {
        at: new Date(wallMs()).toISOString(),
        level: line.level,
        event: event.kind,
        text: line.msg,
      };
      kept.push(warning);
      if (kept.length > KEPT) kept.shift();
      for (const told of [...watchers]) told(warning);
    },
    stream(send) {
      send('status', status());
      const unwatch = history.watch((sample) => {
        send('sample', sample);
        send('status', status());
      });
      const told = (warning: Warning): void => send('warning', warning);
      watchers.add(told);
      return () => {
        unwatch();
        watchers.delete(told);
      };
    },
    warnings: () => kept,
  };
}
