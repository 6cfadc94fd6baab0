import type { GatewayEvent } from '../../observe/events.js';
import type { History } from '../../observe/history.js';
import type { LogLine } from '../../observe/log-line.js';
import type { EventStream } from '../http-server.js';
import { createWarnings, type Warning } from './warnings.js';

export type { Warning } from './warnings.js';

/** What a page is told as it happens: a sample each few seconds, and what the log warns of. */
export interface Live {
  readonly subscriber: (event: GatewayEvent) => void;
  readonly stream: EventStream;
  /** The newest warnings, oldest first, for `GET /api/warnings`. */
  warnings(): readonly Warning[];
}

export interface LiveOptions {
  readonly history: History;
  readonly status: () => unknown;
  readonly lineOf: (event: GatewayEvent) => LogLine | undefined;
  readonly nowMs: () => number;
  readonly wallMs: () => number;
}

export function createLive({ history, status, lineOf, nowMs, wallMs }: LiveOptions): Live {
  const warnings = createWarnings({ nowMs, wallMs });
  return {
    subscriber(event) {
      const line = lineOf(event);
      if (line !== undefined) warnings.add(event.kind, line);
    },
    stream(send) {
      send('status', status());
      const told = (warning: Warning): void => send('warning', warning);
      const unwatch = history.watch((sample) => {
        send('sample', sample);
        send('status', status());
        warnings.catchUp();
      });
      const unwatchWarnings = warnings.watch(told);
      return () => {
        unwatch();
        unwatchWarnings();
      };
    },
    warnings: () => warnings.list(),
  };
}
