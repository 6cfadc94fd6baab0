import type { Emit } from '../observe/events.js';
import type { Clock, Timer } from '../rpc/clock.js';

/** "The manager is being worked on": reads are answered with what is remembered, and it is asked only for what is not. Ends by itself. */
export interface Maintenance {
  readonly on: boolean;
  /** Until it ends, ms; 0: it is not on. */
  readonly leftMs: number;
  /** Begins, or begins anew. */
  begin(durationMs: number): void;
  /** False: it was not on. */
  end(): boolean;
}

export function createMaintenance({ clock, emit }: { clock: Clock; emit: Emit }): Maintenance {
  let untilMs: number | undefined;
  let timer: Timer | undefined;
  const end = (): boolean => {
    if (untilMs === undefined) return false;
    untilMs = undefined;
    timer?.cancel();
    emit({ kind: 'maintenance-ended' });
    return true;
  };
  return {
    get on() {
      return untilMs !== undefined;
    },
    get leftMs() {
      return untilMs === undefined ? 0 : Math.max(0, untilMs - clock.nowMs());
    },
    begin(durationMs) {
      timer?.cancel();
      untilMs = clock.nowMs() + durationMs;
      timer = clock.setTimer(durationMs, () => void end());
      emit({ kind: 'maintenance-begun', durationMs });
    },
    end,
  };
}
