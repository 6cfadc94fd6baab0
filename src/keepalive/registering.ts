import type { Timer } from '../rpc/clock.js';
import type { SessionContext } from './context.js';
import type { Faults } from './faults.js';
import type { NodeId } from './node.js';

/** `answer`: the node is to hear what the manager said. */
export type Registered = { readonly kind: 'reopen'; readonly delayMs: number } | { readonly kind: 'answer' };

/** The making up for a registration that the manager has lost, as a stream's opening has shown. */
export class Registering {
  readonly #context: Pick<SessionContext, 'replayNode' | 'clock'>;
  readonly #faults: Faults;
  readonly #done: (registered: Registered) => void;
  #timer: Timer | undefined;
  #cancelled = false;

  constructor(
    context: Pick<SessionContext, 'replayNode' | 'clock'>,
    faults: Faults,
    done: (registered: Registered) => void,
  ) {
    this.#context = context;
    this.#faults = faults;
    this.#done = done;
  }

  async start(node: NodeId): Promise<void> {
    const result = await this.#context.replayNode(node);
    if (this.#cancelled) return;
    switch (result) {
      case 'unknown':
      case 'refused':
        this.#done({ kind: 'answer' });
        break;
      case 'applied':
      case 'there-already':
        this.#done({ kind: 'reopen', delayMs: 0 });
        break;
      case 'later':
        this.#postpone(node);
        break;
      default:
        result satisfies never;
    }
  }

  cancel(): void {
    this.#cancelled = true;
    this.#timer?.cancel();
  }

  #postpone(node: NodeId): void {
    const { next, delayMs } = this.#faults.postponed();
    if (next === 'open') this.#done({ kind: 'reopen', delayMs });
    else this.#timer = this.#context.clock.setTimer(delayMs, () => void this.start(node));
  }
}
