import { GatewayError } from '../errors.js';
import type { Clock, Timer } from '../rpc/clock.js';

/** Until when a request waits for its turn. */
export interface Patience {
  /** Monotonic, ms; undefined: for ever. */
  readonly deadlineMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

interface Waiting {
  enter(): void;
  refuse(error: GatewayError): void;
  moveOn(): void;
}

/** Bounds the unary calls in flight at one address; as many again wait, first come, first served. */
export class InFlight {
  readonly #limits: { readonly maxInFlight: number };
  readonly #clock: Clock;
  readonly #manager: string;
  readonly #queue = new Set<Waiting>();
  #count = 0;

  constructor(limits: { readonly maxInFlight: number }, manager: string, clock: Clock) {
    this.#limits = limits;
    this.#manager = manager;
    this.#clock = clock;
  }

  get count(): number {
    return this.#count;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  get full(): boolean {
    return this.#count >= this.#limits.maxInFlight;
  }

  /**
   * `entered`: the caller owns a place and must `leave()`. `gone`: the address was closed while waiting; choose
   * another. Rejects with `overloaded` when the queue is full, `manager-timeout` or `caller-cancelled` when the
   * patience ends first.
   */
  async enter(patience: Patience): Promise<'entered' | 'gone'> {
    if (!this.full) {
      this.#count++;
      return 'entered';
    }
    if (this.#queue.size >= this.#limits.maxInFlight) throw this.#overloaded();
    return this.#wait(patience);
  }

  leave(): void {
    this.#count--;
    const [next] = this.#queue;
    if (!next || this.full) return;
    this.#count++;
    next.enter();
  }

  /** Sends everybody who waits to another address. */
  dismiss(): void {
    for (const waiting of [...this.#queue]) waiting.moveOn();
  }

  /** Refuses everybody who waits. */
  refuse(error: GatewayError): void {
    for (const waiting of [...this.#queue]) waiting.refuse(error);
  }

  #wait({ deadlineMs, signal }: Patience): Promise<'entered' | 'gone'> {
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      const done = () => {
        this.#queue.delete(waiting);
        timer?.cancel();
        signal?.removeEventListener('abort', cancelled);
      };
      const settle = (how: 'entered' | 'gone') => () => {
        done();
        resolve(how);
      };
      const refuse = (error: GatewayError) => {
        done();
        reject(error);
      };
      const cancelled = () => refuse(new GatewayError('caller-cancelled', 'the caller has gone'));
      const waiting: Waiting = { enter: settle('entered'), moveOn: settle('gone'), refuse };
      this.#queue.add(waiting);
      signal?.addEventListener('abort', cancelled, { once: true });
      if (deadlineMs !== undefined) {
        timer = this.#clock.setTimer(deadlineMs - this.#clock.nowMs(), () => refuse(this.#tooLate()));
      }
    });
  }

  #overloaded(): GatewayError {
    return new GatewayError(
      'overloaded',
      `manager-gateway: ${this.#count} calls in flight and ${this.#queue.size} waiting for manager ${this.#manager} (managers.maxInFlight)`,
    );
  }

  #tooLate(): GatewayError {
    return new GatewayError(
      'manager-timeout',
      `manager-gateway: the request waited for one of ${this.#limits.maxInFlight} places at manager ${this.#manager} (managers.maxInFlight) until its deadline`,
    );
  }
}
