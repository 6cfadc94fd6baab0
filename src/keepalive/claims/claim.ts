import type { Clock, Timer } from '../../rpc/clock.js';
import type { NodeRecord } from '../node.js';
import type { Holding } from './replies.js';

/** What this replica knows of who holds one node. */
export type Claim = Taking | Held | Yielding | Adopting | Elsewhere;

/** Ours. */
export interface Held {
  readonly kind: 'held';
  readonly record: NodeRecord;
  /** The moment that names the claim in Redis; undefined: Redis does not know of it. */
  readonly since: string | undefined;
  /** When the stream that it is about was wanted here. */
  readonly sinceMs: number;
  /** When Redis was last asked about it alone; Infinity: Redis has no room for it, so that nobody else can have it by Redis either. */
  readonly confirmedAtMs: number;
}

/** Our stream is being ended. */
export interface Yielding {
  readonly kind: 'yielding';
  /** Resolves when another one has it, or nobody. */
  readonly done: Promise<void>;
  /** The node has gone from here meanwhile. */
  released: boolean;
}

/** Its holder is dead, or leaving and asked to give it to us; no node is here for it. */
export interface Adopting {
  readonly kind: 'adopting';
  /** Who was asked; undefined: Redis has not said yet. */
  holder: Holding | undefined;
  askedAtMs: number;
  /** A session here was waiting for it to be freed. */
  readonly watched: boolean;
}

/** Another one's, and a session here may want to know when it is no longer. */
export interface Elsewhere {
  readonly kind: 'elsewhere';
  /** "": Redis could not say. */
  readonly replica: string;
}

/** Being taken for a node that is here. */
export class Taking {
  readonly kind = 'taking';
  /** The newest. */
  record: NodeRecord;
  /** A stream of it is open here already: what others end then harms it. */
  readonly open: boolean;
  readonly sinceMs: number;
  /** Resolves when it is known whose it is. */
  readonly done: Promise<void>;
  /** Who was asked to give it up. */
  holder: Holding | undefined;
  finish: () => void = () => undefined;
  #rung = false;
  #wake: (() => void) | undefined;

  constructor(record: NodeRecord, open: boolean, sinceMs: number) {
    this.record = record;
    this.open = open;
    this.sinceMs = sinceMs;
    this.done = new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  /** Something may have changed. */
  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves true when it was rung for, also before, false after `ms`. */
  async wait(clock: Clock, ms: number): Promise<boolean> {
    let timer: Timer | undefined;
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = clock.setTimer(ms, resolve);
      });
    }
    timer?.cancel();
    const rung = this.#rung;
    this.#rung = false;
    this.#wake = undefined;
    return rung;
  }
}
