import type { ConnectionCloseReason } from '../observe/events.js';
import type { Clock } from '../rpc/clock.js';
import type { Garbage } from './garbage.js';
import { createRecentCount, type RecentCount } from './recent-count.js';
import type { RecentlyCut } from './recently-cut.js';

/** Of delay for whoever comes next from there, and one more for each stream of late. */
const MISTAKE_MS = 5;

export interface AftermathOptions {
  /** Of the peer. */
  readonly address: string;
  readonly garbage: Garbage;
  readonly recentlyCut: RecentlyCut;
  readonly clock: Clock;
}

/** What comes of a connection that has to be cut off. */
export class Aftermath {
  readonly #options: AftermathOptions;
  readonly #streams: RecentCount;
  #told = false;

  constructor(options: AftermathOptions) {
    this.#options = options;
    this.#streams = createRecentCount(options.clock);
  }

  stream(): void {
    this.#streams.add();
  }

  /**
   * It is over a limit, and will be cut off. Told before that is done: whoever hears of it may be back before the end of the socket
   * is told of here.
   */
  condemned(): void {
    if (this.#told) return;
    this.#told = true;
    const { address, recentlyCut } = this.#options;
    recentlyCut.add(address, Number.POSITIVE_INFINITY);
  }

  /** It has gone. */
  closed(reason: ConnectionCloseReason | undefined): void {
    const { address, garbage, recentlyCut } = this.#options;
    if (reason === 'limit') this.condemned();
    else if (reason !== 'protocol-error') return;
    // What came long ago has been collected long ago.
    const streams = this.#streams.count;
    garbage.streams(streams);
    // A client's mistake keeps nobody waiting to speak of; a thousand in a second do.
    if (reason === 'protocol-error') recentlyCut.add(address, MISTAKE_MS + streams);
  }
}
