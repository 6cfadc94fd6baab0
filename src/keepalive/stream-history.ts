import type { NodeEndReason, ReopenReason } from '../observe/events.js';
import type { OpenReason, SessionContext } from './context.js';
import type { NodeId } from './node.js';

/** What has become of a node's streams at the manager, told as it happens. */
export class StreamHistory {
  readonly #context: Pick<SessionContext, 'clock' | 'emit'>;
  readonly #node: NodeId['kind'];
  #endedAtMs: number | undefined;
  #reopenings = 0;
  #lastReopened: ReopenReason | undefined;

  constructor(context: Pick<SessionContext, 'clock' | 'emit'>, node: NodeId['kind']) {
    this.#context = context;
    this.#node = node;
  }

  get reopenings(): number {
    return this.#reopenings;
  }

  get lastReopened(): ReopenReason | undefined {
    return this.#lastReopened;
  }

  /** `manager`: position in `managers.addrs`. `detail`: what ended the stream before; "" where that was wanted here. */
  opened(manager: string, reason: OpenReason, detail: string): void {
    const { clock, emit } = this.#context;
    const node = this.#node;
    if (reason === 'first') {
      emit({ kind: 'node-opened', node, manager });
      return;
    }
    this.#reopenings++;
    this.#lastReopened = reason;
    const gapMs = this.#endedAtMs === undefined ? 0 : clock.nowMs() - this.#endedAtMs;
    emit({ kind: 'node-reopened', node, manager, reason, gapMs, detail });
  }

  /** A stream has ended; another may follow. */
  ended(): void {
    this.#endedAtMs = this.#context.clock.nowMs();
  }

  /** There is to be none any more. */
  over(reason: NodeEndReason, detail = ''): void {
    this.#context.emit({ kind: 'node-ended', node: this.#node, reason, detail });
  }
}
