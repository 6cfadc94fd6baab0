import { pino } from 'pino';
import type { Clock, Timer } from '../rpc/clock.js';
import type { GatewayEvent } from './events.js';
import { type LogLine, logLineOf } from './log-table.js';

/** The first of a kind is written at once; what comes within this time after it is counted and written as one line. */
const SUMMARY_MS = 10_000;
/** Kinds of lines that are counted at the same time; beyond it lines are written as they come. */
const REPEAT_KEYS = 1_000;

export interface Log {
  readonly subscriber: (event: GatewayEvent) => void;
  setLevel(level: string): void;
  /** Writes the summaries that are due, and stops their timers. */
  flush(): void;
}

export interface LogOptions {
  readonly level: string;
  readonly clock: Clock;
  readonly destination: { write(line: string): void };
}

interface Repeats {
  count: number;
  last: LogLine;
  readonly timer: Timer;
}

/** JSON lines with `level`, `ts` (ISO 8601, UTC), `msg`, and the fields of `log-table.ts`. */
export function createLog(options: LogOptions): Log {
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"ts":"${new Date(options.clock.wallMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.destination,
  );
  const repeated = new Map<string, Repeats>();

  const write = (line: LogLine, count: number): void => {
    const times = count > 1 ? { repeated: count } : {};
    const msg = count > 1 ? `${line.msg} (${count} times in ${SUMMARY_MS / 1000} s)` : line.msg;
    logger[line.level](
      { ...line.fields, ...times, ...(line.error === undefined ? {} : { err: line.error }) },
      msg,
    );
  };

  const summarise = (key: string): void => {
    const repeats = repeated.get(key);
    if (repeats === undefined) return;
    repeats.timer.cancel();
    repeated.delete(key);
    if (repeats.count > 0) write(repeats.last, repeats.count);
  };

  return {
    subscriber(event) {
      const line = logLineOf(event);
      if (line === undefined || !logger.isLevelEnabled(line.level)) return;
      const key = line.repeatKey;
      const running = key === undefined ? undefined : repeated.get(key);
      if (running !== undefined) {
        running.count++;
        running.last = line;
        return;
      }
      write(line, 1);
      if (key === undefined || repeated.size >= REPEAT_KEYS) return;
      const timer = options.clock.setTimer(SUMMARY_MS, () => summarise(key));
      repeated.set(key, { count: 0, last: line, timer });
    },
    setLevel(level) {
      logger.level = level;
    },
    flush() {
      for (const key of [...repeated.keys()]) summarise(key);
    },
  };
}
