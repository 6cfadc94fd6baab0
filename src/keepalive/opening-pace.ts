import type { Emit } from '../observe/events.js';
import type { Clock, Timer } from '../rpc/clock.js';

/** A quarter of what a v2.5 manager lets through: nodes are not all that comes back to it. */
const PER_SECOND = 1_000;
const LOWEST_PER_SECOND = 20;
/** One cut a second: a burst of refusals is one sign. */
const CUT_PAUSE_MS = 1_000;
/** With every second this share of the full rate is won back. */
const GROWTH_SHARE = 0.1;
/** So that several gateways whose manager came back do not open in step. */
const JITTER_MS = 50;

/** Who may open a stream now. A node that is new goes at once; those that come back go one after the other. */
export interface OpeningPace {
  /** `go` is called once, at once where nothing speaks against it; returns the way to give up waiting. */
  enter(who: 'new' | 'replaced' | 'returning', go: () => void): () => void;
  /** The manager asks for less. */
  lower(): void;
  readonly waiting: number;
}

export interface OpeningPaceOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
}

export function createOpeningPace({ clock, random, emit }: OpeningPaceOptions): OpeningPace {
  const queue = new Set<() => void>();
  let perSecond = PER_SECOND;
  let changedAtMs = clock.nowMs();
  let cutAtMs = Number.NEGATIVE_INFINITY;
  let freeAtMs = clock.nowMs();
  let timer: Timer | undefined;

  const grow = (): void => {
    const nowMs = clock.nowMs();
    perSecond = Math.min(PER_SECOND, perSecond + ((nowMs - changedAtMs) / 1_000) * PER_SECOND * GROWTH_SHARE);
    changedAtMs = nowMs;
  };
  /** Not more than what a hundredth of a second allows goes at once, so that a standstill is not made up for in one burst. */
  const take = (): boolean => {
    grow();
    const nowMs = clock.nowMs();
    if (freeAtMs > nowMs) return false;
    freeAtMs = Math.max(freeAtMs, nowMs - 10) + 1_000 / perSecond;
    return true;
  };
  const serve = (): void => {
    timer = undefined;
    for (const go of queue) {
      if (!take()) break;
      queue.delete(go);
      go();
    }
    if (queue.size > 0) timer ??= clock.setTimer(Math.max(freeAtMs - clock.nowMs(), 1), serve);
  };
  const join = (go: () => void): (() => void) => {
    queue.add(go);
    if (timer === undefined) serve();
    return () => void queue.delete(go);
  };

  return {
    get waiting() {
      return queue.size;
    },
    enter(who, go) {
      if (who === 'new') {
        go();
        return () => undefined;
      }
      // Wrapped, because a queue that is a set knows each only once.
      if (who === 'replaced') return join(() => go());
      let leave = (): void => jitter.cancel();
      const jitter = clock.setTimer(random() * JITTER_MS, () => {
        leave = join(() => go());
      });
      return () => leave();
    },
    lower() {
      grow();
      if (clock.nowMs() - cutAtMs < CUT_PAUSE_MS) return;
      cutAtMs = clock.nowMs();
      perSecond = Math.max(LOWEST_PER_SECOND, perSecond / 2);
      emit({ kind: 'openings-lowered', perSecond });
    },
  };
}
