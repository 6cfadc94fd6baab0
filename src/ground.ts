import type { Config, Mode } from './config/config.js';
import { createBus } from './observe/bus.js';
import type { Emit, GatewayEvent } from './observe/events.js';
import { createLog, type Log } from './observe/log.js';
import { type Clock, systemClock } from './rpc/clock.js';
import { createTracing, type Tracing } from './trace/tracing.js';
import { VERSION } from './version.js';

export interface GroundOptions {
  readonly clock?: Clock;
  /** Uniform in [0, 1), for jitter. */
  readonly random?: () => number;
  readonly logDestination?: { write(line: string): void };
}

/** What all parts of a gateway stand on. */
export interface Ground {
  /** The one that runs: live keys change in place. */
  readonly config: Config;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly tracing: Tracing;
  /** Who is told of every event. */
  readonly subscribers: ((event: GatewayEvent) => void)[];
  readonly emit: Emit;
  readonly mode: () => Mode;
  /** Whoever changes it sees to what follows from it: `Control`. */
  readonly enter: (mode: Mode) => void;
}

export function createGround(config: Config, options: GroundOptions): Ground {
  const clock = options.clock ?? systemClock;
  const destination = options.logDestination ?? process.stdout;
  const log = createLog({ level: config.log.level, clock, destination });
  const subscribers: ((event: GatewayEvent) => void)[] = [log.subscriber];
  const emit = createBus(subscribers, (error) =>
    log.subscriber({ kind: 'internal-error', where: 'a subscriber of events', error }),
  );
  const tracing = createTracing({
    config: config.tracing,
    version: VERSION,
    onError: (error) => emit({ kind: 'internal-error', where: 'sending spans', error }),
  });
  let mode: Mode = config.mode;
  return {
    config,
    clock,
    random: options.random ?? Math.random,
    log,
    tracing,
    subscribers,
    emit,
    mode: () => mode,
    enter(next) {
      mode = next;
    },
  };
}
