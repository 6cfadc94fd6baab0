import { GatewayError } from '../errors.js';
import type { Emit } from '../observe/events.js';
import type { Clock, Timer } from '../rpc/clock.js';

const LOOK_INTERVAL_MS = 1_000;
/** Of what the process may have: beyond it the kernel ends the process, and garbage collection takes all its time well before. */
const SHARE_OF_ALLOWED = 0.85;
/** Shedding ends only well below the limit, or it would begin again at once. */
const CALM_SHARE = 0.95;
/** cgroups say "no limit" by a number that no machine has. */
const ABSURD_BYTES = 2 ** 50;

export interface MemoryWatchOptions {
  /** 0: a share of what the process may have, if that is limited. */
  readonly limitBytes: () => number;
  /** Resident now; what the process may have, 0 or absurdly much where nobody limits it. */
  readonly residentBytes: () => number;
  readonly allowedBytes: () => number;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** Looks at the memory of this process, and says when only what is remembered may be answered. */
export interface MemoryWatch {
  /** Why nothing may be asked for now; undefined: all is well. */
  objection(): GatewayError | undefined;
  start(): void;
  stop(): void;
}

export function createMemoryWatch(options: MemoryWatchOptions): MemoryWatch {
  const { clock, emit } = options;
  let timer: Timer | undefined;
  let shedding: GatewayError | undefined;

  const look = (): void => {
    timer = clock.setTimer(LOOK_INTERVAL_MS, look);
    const limitBytes = limitOf(options);
    const residentBytes = options.residentBytes();
    if (shedding !== undefined) {
      if (residentBytes <= limitBytes * CALM_SHARE) shedding = undefined;
      return;
    }
    if (residentBytes <= limitBytes) return;
    const detail = `${residentBytes} bytes of memory are in use; ${Math.round(limitBytes)} are allowed (server.limits.memory)`;
    shedding = new GatewayError('overloaded', `${detail}, and only what is remembered is answered`);
    emit({ kind: 'limit-reached', limit: 'memory', detail });
  };

  return {
    objection: () => shedding,
    start: look,
    stop() {
      timer?.cancel();
      timer = undefined;
    },
  };
}

function limitOf({ limitBytes, allowedBytes }: MemoryWatchOptions): number {
  if (limitBytes() > 0) return limitBytes();
  const allowed = allowedBytes();
  return allowed > 0 && allowed < ABSURD_BYTES ? allowed * SHARE_OF_ALLOWED : Number.POSITIVE_INFINITY;
}
