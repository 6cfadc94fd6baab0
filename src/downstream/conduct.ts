import type { GatewayError } from '../errors.js';
import type { BadInputReason, ConnectionCloseReason } from '../observe/events.js';
import { Aftermath } from './aftermath.js';
import { ConnectionLimits } from './connection-limits.js';
import { createEmptyFrames, type ReceivedSoFar } from './empty-frames.js';
import type { DownstreamOptions } from './engine.js';
import type { Garbage } from './garbage.js';
import type { RecentlyCut } from './recently-cut.js';

export interface ConductOptions {
  readonly downstream: Pick<DownstreamOptions, 'limits' | 'objection' | 'clock' | 'emit'>;
  /** Of the peer. */
  readonly address: string;
  readonly garbage: Garbage;
  readonly recentlyCut: RecentlyCut;
  /** It had to wait, because one from the same address had just been cut off. */
  readonly afterCut: boolean;
  /** Has the connection gone, so that nothing counts any more? */
  readonly gone: () => boolean;
  /** What has come, ever, and how many calls wait that have not begun. */
  readonly received: () => Omit<ReceivedSoFar, 'calls'> & { readonly waitingCalls: number };
  /** It is over a limit, and to be cut off: called once. */
  readonly condemn: () => void;
}

/** A refusal of large metadata costs as much as so many others: all of it has been received, and is garbage. The fourth in a burst is the last. */
const LARGE_WEIGHT = 60;

/** How the peer of a connection behaves. Too much of anything has the connection cut off, and others from there wait. */
export class Conduct {
  readonly #options: ConductOptions;
  readonly #limits: ConnectionLimits;
  readonly #aftermath: Aftermath;
  readonly #emptyFrames: () => string | undefined;
  #condemned = false;
  /** Calls that have begun or ended, and how many had by the last ping. */
  #turns = 0;
  #turnsAtPing = 0;

  constructor(options: ConductOptions) {
    this.#options = options;
    const { address, garbage, recentlyCut, afterCut, received } = options;
    const { limits, clock, emit } = options.downstream;
    this.#aftermath = new Aftermath({ address, garbage, recentlyCut, clock });
    this.#limits = new ConnectionLimits({ limits: limits.limits, afterCut, clock, emit });
    this.#emptyFrames = createEmptyFrames({
      received: () => {
        const { bytes, messageBytes, waitingCalls } = received();
        return { bytes, messageBytes, calls: this.#turns + waitingCalls };
      },
      clock,
    });
  }

  /** It is over a limit, and will be cut off in a moment. */
  get condemned(): boolean {
    return this.#condemned;
  }

  /** A stream has come. `raw`: its header list. */
  stream(raw: readonly string[]): void {
    this.#options.garbage.headers(raw);
    this.#aftermath.stream();
  }

  /** A call has begun, or ended. */
  turn(): void {
    this.#turns += 1;
  }

  /** A stream was taken back by the peer. */
  reset(): void {
    this.#count('resets');
  }

  /** A call had to be refused before anybody looked at what it asks for. */
  refused(reason: BadInputReason, error: GatewayError): void {
    this.#options.downstream.emit({ kind: 'bad-input', reason, detail: error.message });
    this.#count('refusals', reason === 'metadata' ? LARGE_WEIGHT : 1);
  }

  /** grpc-go pings as often as data comes, to measure the link: only pings for nothing count. */
  ping(): void {
    if (this.#turns === this.#turnsAtPing) this.#count('pings');
    this.#turnsAtPing = this.#turns;
  }

  settings(): void {
    this.#count('settings');
  }

  /** Why the manager may not be bothered for it now; undefined: it may, and that counts. */
  mayAsk(): GatewayError | undefined {
    const objection = this.#options.downstream.objection?.();
    if (objection !== undefined) return objection;
    const excess = this.#limits.count('asking');
    // Each refusal costs little, and a hundred thousand of them keep everybody waiting.
    if (excess !== undefined) this.#count('refusals');
    return excess;
  }

  /** Has too much come since this was last asked that is for nothing? */
  isFlooding(): boolean {
    const detail = this.#emptyFrames();
    if (detail === undefined) return false;
    this.#options.downstream.emit({ kind: 'limit-reached', limit: 'empty-frames', detail });
    return true;
  }

  /** It is about to be cut off for what it did. */
  cutting(): void {
    this.#aftermath.condemned();
  }

  /** It has gone. */
  closed(reason: ConnectionCloseReason | undefined): void {
    this.#aftermath.closed(reason);
  }

  #count(limit: 'resets' | 'pings' | 'settings' | 'refusals', weight = 1): void {
    if (this.#condemned || this.#options.gone()) return;
    if (this.#limits.count(limit, weight) === undefined) return;
    this.#condemned = true;
    this.#aftermath.condemned();
    this.#options.condemn();
  }
}
