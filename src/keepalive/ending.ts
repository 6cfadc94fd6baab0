import type { Timer } from '../rpc/clock.js';
import type { Line } from '../upstream/line.js';
import type { StreamReply } from './below.js';
import type { OpenReason, SessionContext } from './context.js';
import { setFairTimer } from './fair-timer.js';
import type { NodeState } from './node-view.js';
import type { StreamAbove } from './stream-above.js';

/** What comes behind the end of a stream. */
export type Next =
  /** `line`: found already; it may have gone meanwhile. */
  | { readonly kind: 'reopen'; readonly reason: OpenReason; readonly line: Line | undefined }
  | { readonly kind: 'dormant' }
  | { readonly kind: 'elsewhere' };

/** The end of a stream that nobody waits for but its last caller may take this long. */
const GOODBYE_MS = 30_000;
/** So many times the haste, on a connection that is good. */
const PATIENT_WAITS = 5;

const SHOWN = { reopen: 'replacing', dormant: 'ending', elsewhere: 'elsewhere' } as const satisfies Record<
  Next['kind'],
  NodeState
>;

/** The polite end of a stream: half-close, then the status, which says that the manager has written down the end. */
export class Ending {
  readonly stream: StreamAbove;
  readonly #context: Pick<SessionContext, 'clock' | 'statusTimeoutMs'>;
  #next: Next;
  #timer: Timer | undefined;
  #waits = 0;
  /** What the manager said to it. */
  readonly reply: Promise<StreamReply>;
  #tell: (reply: StreamReply) => void = () => undefined;

  constructor(context: Pick<SessionContext, 'clock' | 'statusTimeoutMs'>, stream: StreamAbove, next: Next) {
    this.#context = context;
    this.stream = stream;
    this.#next = next;
    this.reply = new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  get next(): Next {
    return this.#next;
  }

  /** What people see of it, by what comes behind it. */
  get state(): NodeState {
    return SHOWN[this.#next.kind];
  }

  /** The stream tells its owner when it has ended, whoever ended it. */
  start(): void {
    this.#wait();
    this.stream.halfClose();
  }

  /** Somebody has changed his mind about what comes behind it. */
  follow(next: Next): void {
    this.#next = next;
    this.#wait();
  }

  /** The stream has ended. */
  over(reply: StreamReply): void {
    this.#timer?.cancel();
    this.#tell(reply);
  }

  /** How long depends on who waits. */
  #wait(): void {
    const { clock, statusTimeoutMs } = this.#context;
    const inHaste = this.#next.kind !== 'dormant';
    this.#timer?.cancel();
    this.#timer = setFairTimer(clock, inHaste ? statusTimeoutMs : GOODBYE_MS, () => {
      this.#waits++;
      // A manager that works may be slow; an order that is not certain costs the node more than the wait.
      if (inHaste && this.stream.line.state === 'good' && this.#waits < PATIENT_WAITS) this.#wait();
      else this.#giveUp();
    });
  }

  #giveUp(): void {
    // Nothing on it is answered, whoever asks. On one that works, this stream alone is given up: many others are on it.
    if (this.#next.kind === 'reopen' && this.stream.line.state === 'mute') this.stream.line.giveUp();
    this.stream.cancel('manager-gateway: the manager does not answer the end of the stream');
  }
}
