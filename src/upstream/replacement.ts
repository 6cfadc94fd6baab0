import type { Clock, Timer } from '../rpc/clock.js';
import type { Channel } from './channel.js';

/** First and longest pause between two candidates: a frozen manager must not see a new connection all the time. */
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 60_000;
/** So long the old channel has once the candidate was answered: where it was the manager that was frozen, it speaks now, too. */
const SECOND_THOUGHT_MS = 500;

export interface ReplacementOptions {
  readonly clock: Clock;
  open(): Channel;
  /** Does the manager answer over this channel? Always settles. */
  answers(candidate: Channel): Promise<boolean>;
  adopt(candidate: Channel): void;
  discard(candidate: Channel): void;
}

/**
 * Looks for a channel in place of one that is READY and says nothing: a candidate is opened beside it, and takes
 * over only once the manager has answered over it, and the old one has still nothing to say. If the candidate is no better, it is not the
 * connection.
 */
export class Replacement {
  readonly #options: ReplacementOptions;
  #active = false;
  #pauseMs = FIRST_PAUSE_MS;
  #candidate: Channel | undefined;
  #timer: Timer | undefined;

  constructor(options: ReplacementOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#active) return;
    this.#active = true;
    this.#pauseMs = FIRST_PAUSE_MS;
    void this.#try();
  }

  /** The old channel has spoken, or has gone: no candidate is wanted any more. */
  stop(): void {
    this.#active = false;
    this.#timer?.cancel();
    const candidate = this.#candidate;
    this.#candidate = undefined;
    if (candidate) this.#options.discard(candidate);
  }

  async #try(): Promise<void> {
    const candidate = this.#options.open();
    this.#candidate = candidate;
    const better = await this.#options.answers(candidate);
    if (this.#candidate !== candidate) return; // stopped, and discarded there
    const { clock } = this.#options;
    if (better) {
      this.#timer = clock.setTimer(SECOND_THOUGHT_MS, () => this.#adopt(candidate));
      return;
    }
    this.#candidate = undefined;
    this.#options.discard(candidate);
    this.#timer = clock.setTimer(this.#pauseMs, () => void this.#try());
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }

  #adopt(candidate: Channel): void {
    this.#active = false;
    this.#candidate = undefined;
    this.#options.adopt(candidate);
  }
}
