import type { Line } from '../upstream/line.js';
import type { SessionContext } from './context.js';
import type { NodeRecord } from './node.js';

export interface Sought {
  /** Claim the node for this replica before anything else; undefined: it is ours, and has a stream. */
  readonly claim: NodeRecord | undefined;
  readonly who: 'new' | 'replaced' | 'returning';
  readonly delayMs: number;
  /** Another one than this, if there is one. */
  readonly not?: Line | undefined;
}

/** When another connection answers, one that is mute may do so in a moment: a frozen manager that thaws is to find its streams as they were. */
const SECOND_THOUGHT_MS = 500;

type Context = Pick<SessionContext, 'upstream' | 'claims' | 'pace' | 'clock'>;

/** The way to a connection that a stream may be opened on: the claim, the wait, a good line, one's turn. */
export class Seeking {
  readonly #context: Context;
  readonly #sought: Sought;
  readonly #found: (line: Line) => void;
  #stop: (() => void) | undefined;
  #cancelled = false;
  /** Is there nothing to be thought over before a stream is ended for what was found? */
  #isSure: boolean;

  /** `found` is called once, maybe within `start`, unless `cancel` was called before. */
  constructor(context: Context, sought: Sought, found: (line: Line) => void) {
    this.#context = context;
    this.#sought = sought;
    this.#found = found;
    this.#isSure = sought.claim !== undefined || sought.not?.state !== 'mute';
  }

  start(): void {
    const { claim } = this.#sought;
    if (claim === undefined) this.#wait();
    else void this.#context.claims.take(claim).then(() => this.#wait());
  }

  cancel(): void {
    this.#cancelled = true;
    this.#stop?.();
  }

  #wait(): void {
    if (this.#cancelled) return;
    const { delayMs } = this.#sought;
    if (delayMs <= 0) {
      this.#seek();
      return;
    }
    const timer = this.#context.clock.setTimer(delayMs, () => this.#seek());
    this.#stop = () => timer.cancel();
  }

  #seek(): void {
    const line = this.#line();
    if (line !== undefined) {
      this.#consider(line);
      return;
    }
    const unwatch = this.#context.upstream.watchLines(() => {
      const good = this.#line();
      if (good === undefined) return;
      unwatch();
      this.#consider(good);
    });
    this.#stop = unwatch;
  }

  #consider(line: Line): void {
    if (this.#isSure) {
      this.#queue(line);
      return;
    }
    this.#isSure = true;
    const timer = this.#context.clock.setTimer(SECOND_THOUGHT_MS, () => this.#seek());
    this.#stop = () => timer.cancel();
  }

  #queue(line: Line): void {
    let entered = false;
    const leave = this.#context.pace.enter(this.#sought.who, () => {
      entered = true;
      if (this.#cancelled) return;
      if (line.state === 'good') this.#found(line);
      else this.#seek();
    });
    // Entered already, the way to stop is that of what came behind it.
    if (!entered) this.#stop = leave;
  }

  #line(): Line | undefined {
    const { upstream } = this.#context;
    const { not, claim } = this.#sought;
    const line = upstream.line(not);
    // Who has no stream loses none where nobody may answer either.
    return line ?? (claim === undefined ? undefined : upstream.line());
  }
}
