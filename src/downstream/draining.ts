import { GatewayError } from '../errors.js';
import type { Clock, Timer } from '../rpc/clock.js';
import type { Connection } from './connection.js';

/** So long before the deadline the calls that are left are told, so that the words can still get out. */
const LAST_WORDS_MS = 500;
/** How long, once no call is left, a peer may take over closing its side. */
const GOODBYE_MS = 2_000;

/** The end of a listener that no longer listens: GOAWAY, last calls, last words, cut. */
export class Draining {
  readonly finished: Promise<{ clean: boolean }>;
  readonly #connections: ReadonlySet<Connection>;
  readonly #clock: Clock;
  #timers: Timer[] = [];
  #goodbye: Timer | undefined;
  #clean = true;
  #resolve: (outcome: { clean: boolean }) => void = () => {};

  constructor(connections: ReadonlySet<Connection>, clock: Clock, deadlineMs: number) {
    this.#connections = connections;
    this.#clock = clock;
    this.finished = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    for (const connection of [...connections]) connection.drain();
    const leftMs = deadlineMs - clock.nowMs();
    this.#timers = [
      clock.setTimer(Math.max(leftMs - LAST_WORDS_MS, 0), () => this.#endCalls()),
      clock.setTimer(Math.max(leftMs, 0), () => this.cut()),
    ];
    this.check();
  }

  /** To be called whenever a call or a connection has gone. */
  check(): void {
    if (this.#connections.size === 0) {
      for (const timer of this.#timers) timer.cancel();
      this.#goodbye?.cancel();
      this.#resolve({ clean: this.#clean });
    } else if (!this.#goodbye && this.#openCalls() === 0) {
      // Nobody is waiting for anything; a peer that does not close its side must not hold up the shutdown.
      this.#goodbye = this.#clock.setTimer(GOODBYE_MS, () => this.#destroyAll());
    }
  }

  #openCalls(): number {
    let open = 0;
    for (const connection of this.#connections) open += connection.openCalls;
    return open;
  }

  /** UNAVAILABLE, not CANCELLED: Go's KeepAlive client comes back after the one and stops for good after the other. */
  #endCalls(): void {
    const error = new GatewayError('draining', 'manager-gateway is stopping; connect again');
    for (const connection of [...this.#connections]) {
      if (connection.endCalls(error) > 0) this.#clean = false;
    }
  }

  /** Waits no longer. */
  cut(): void {
    this.#endCalls();
    // An answer that is still on its way out is cut too.
    if (this.#openCalls() > 0) this.#clean = false;
    this.#destroyAll();
  }

  #destroyAll(): void {
    for (const connection of [...this.#connections]) connection.destroy('drain');
  }
}
