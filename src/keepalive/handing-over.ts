import { GatewayError } from '../errors.js';
import type { Clock } from '../rpc/clock.js';
import { inTime } from '../rpc/in-time.js';
import { saying } from './below.js';
import type { Claims } from './claims.js';
import type { KeptNode } from './nodes-format.js';
import type { Session } from './session.js';

/** What is left of a drain when the streams at the manager must be ended, taken over or not. */
const RESERVE_MS = 1_000;
/** How long a stop waits for the manager to confirm the ends. */
const STOP_MS = 500;

/** What callers are told of a gateway that stops. */
export const STOPPING = new GatewayError('draining', 'manager-gateway is stopping; connect again');

export interface HandingOverOptions {
  readonly claims: Pick<Claims, 'offer'>;
  /** How long a manager may take over the end of a stream. */
  readonly statusTimeoutMs: number;
  readonly clock: Clock;
}

/** What becomes of the nodes of a gateway that stops: another replica takes them over, or their streams are ended. */
export class HandingOver {
  readonly #options: HandingOverOptions;
  readonly #left: KeptNode[] = [];

  constructor(options: HandingOverOptions) {
    this.#options = options;
  }

  /** Nodes that nobody has taken over. */
  get left(): readonly KeptNode[] {
    return this.#left;
  }

  /** Whoever takes the node over makes this replica yield it; alone, its stream is ended as soon as the node was told. */
  async letGo(session: Session, deadlineMs: number): Promise<void> {
    const { clock, claims, statusTimeoutMs } = this.#options;
    const { kept } = session;
    session.tell(saying(STOPPING.status));
    if (await claims.offer(session.key, deadlineMs - RESERVE_MS)) return;
    this.#leave(kept);
    const lastMs = Math.min(clock.nowMs() + statusTimeoutMs, deadlineMs);
    await inTime(clock, lastMs, [session.end('stopping')]);
  }

  /** Nobody is waited for but the manager, for half a second. */
  async endAll(sessions: readonly Session[]): Promise<void> {
    const { clock } = this.#options;
    const ends = sessions.map((session) => {
      this.#leave(session.kept);
      session.tell(saying(STOPPING.status));
      return session.end('stopping');
    });
    await inTime(clock, clock.nowMs() + STOP_MS, ends);
  }

  #leave(kept: KeptNode | undefined): void {
    if (kept !== undefined) this.#left.push(kept);
  }
}
