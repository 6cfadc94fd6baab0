import { pino, stdSerializers } from 'pino';
import type { Clock, Timer } from '../rpc/clock.js';
import type { GatewayEvent } from './events.js';
import type { LogLine } from './log-line.js';
import { logLineOf } from './log-table.js';

/** The first of a kind is written at once; from then on what comes is counted and written as one line this often. */
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
      serializers: { err: shownError },
    },
    options.destination,
  );
  const repeated = new Map<string, Repeats>();

  const write = ({ level, fields, error, msg }: LogLine, repeats?: number): void => {
    const summary = repeats === undefined ? {} : { repeated: repeats };
    const more = repeats === undefined ? '' : ` (${repeats} more in ${SUMMARY_MS / 1000} s)`;
    logger[level]({ ...fields, ...summary, ...(error === undefined ? {} : { err: error }) }, msg + more);
  };

  const summarise = (key: string): void => {
    const repeats = repeated.get(key);
    if (repeats === undefined) return;
    repeats.timer.cancel();
    repeated.delete(key);
    if (repeats.count > 0) write(repeats.last, repeats.count);
  };

  const begin = (key: string, line: LogLine): void => {
    const timer = options.clock.setTimer(SUMMARY_MS, () => {
      const repeats = repeated.get(key);
      summarise(key);
      // What goes on stays summarised; what has paused is news when it comes again.
      if (repeats !== undefined && repeats.count > 0) begin(key, repeats.last);
    });
    repeated.set(key, { count: 0, last: line, timer });
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
      write(line);
      if (key !== undefined && repeated.size < REPEAT_KEYS) begin(key, line);
    },
    setLevel(level) {
      logger.level = level;
    },
    flush() {
      for (const key of [...repeated.keys()]) summarise(key);
    },
  };
}

/** Not what libraries hang on their errors: ioredis the command with its arguments, grpc-js the metadata of the call. */
function shownError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { type, message, stack, code } = stdSerializers.err(error);
  return { type, message, stack, code };
}
