import type { Clock } from '../../rpc/clock.js';
import type { Fault, FaultKind } from './fault.js';

type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>;

/** Which faults hold now, and waiting for them to end. */
export class FaultBoard {
  readonly #faults = new Map<FaultKind, Fault>();
  readonly #waiting = new Set<() => void>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get<K extends FaultKind>(kind: K): FaultOf<K> | undefined {
    // The map holds a fault under its own kind only.
    return this.#faults.get(kind) as FaultOf<K> | undefined;
  }

  set(fault: Fault): void {
    this.#faults.set(fault.kind, fault);
  }

  clear(kind: FaultKind): void {
    this.#faults.delete(kind);
    for (const look of [...this.#waiting]) look();
  }

  clearAll(): void {
    for (const kind of [...this.#faults.keys()]) this.clear(kind);
  }

  /** Resolves once no fault of this kind holds, or when nobody waits for the answer any more. */
  async ended(kind: FaultKind, signal: AbortSignal): Promise<void> {
    if (!this.#faults.has(kind) || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.#faults.has(kind) && !signal.aborted) return;
        this.#waiting.delete(look);
        signal.removeEventListener('abort', look);
        resolve();
      };
      this.#waiting.add(look);
      signal.addEventListener('abort', look);
    });
  }

  /** Waits `delayMs`, or until nobody waits any more. */
  async pause(delayMs: number, signal: AbortSignal): Promise<void> {
    if (delayMs <= 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.#clock.setTimer(delayMs, done);
      signal.addEventListener('abort', done);
    });
  }
}
