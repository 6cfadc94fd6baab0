import { randomBytes } from 'node:crypto';
import type { Clock, Timer } from '../../rpc/clock.js';
import type { RegistrationsExchange } from './exchange.js';

/** How long a dead replica keeps others from writing to a node. */
export const LEASE_MS = 5_000;
const RENEW_MS = LEASE_MS / 3;
const POLL_MS = 100;

/**
 * The turn to write to a node, among the replicas. `ours`; `busy`: another replica did not come to its end in time; `alone`: there is no Redis, or it
 * is away, and every replica is on its own.
 */
export interface SharedTurn {
  readonly kind: 'ours' | 'busy' | 'alone';
  /** It was ours, and another replica may have it by now: nothing more may be sent. */
  readonly lost: boolean;
  release(): void;
}

export const ALONE: SharedTurn = { kind: 'alone', lost: false, release: () => undefined };
export const BUSY: SharedTurn = { kind: 'busy', lost: false, release: () => undefined };

export function newToken(): string {
  return randomBytes(9).toString('base64url');
}

/** Keeps a turn that was taken just now, `askedAtMs` on the monotonic clock, until it is released. */
export function keptTurn(
  exchange: RegistrationsExchange,
  clock: Clock,
  { turn, token, askedAtMs }: { turn: string; token: string; askedAtMs: number },
): SharedTurn {
  let oursUntilMs = askedAtMs + LEASE_MS;
  let timer: Timer | undefined;
  let released = false;
  const renew = async (): Promise<void> => {
    const nowMs = clock.nowMs();
    const said = await exchange.takeTurn(turn, token, LEASE_MS);
    if (said === 'ours') oursUntilMs = nowMs + LEASE_MS;
    if (said === 'busy') oursUntilMs = nowMs;
    // Released meanwhile, it has been taken once more by that.
    if (released) void exchange.releaseTurn(turn, token);
    else goOn();
  };
  const goOn = (): void => {
    timer = clock.setTimer(RENEW_MS, () => void renew());
  };
  goOn();
  return {
    kind: 'ours',
    get lost() {
      return clock.nowMs() >= oursUntilMs;
    },
    release() {
      released = true;
      timer?.cancel();
      void exchange.releaseTurn(turn, token);
    },
  };
}

/** Takes the turn, or waits for it for at most `waitMs`. Never rejects. */
export async function takeTurn(
  exchange: RegistrationsExchange,
  clock: Clock,
  turn: string,
  waitMs: number,
): Promise<SharedTurn> {
  const token = newToken();
  const untilMs = clock.nowMs() + waitMs;
  while (exchange.usable) {
    const askedAtMs = clock.nowMs();
    const said = await exchange.takeTurn(turn, token, LEASE_MS);
    if (said === undefined) return ALONE;
    if (said === 'ours') return keptTurn(exchange, clock, { turn, token, askedAtMs });
    if (clock.nowMs() + POLL_MS > untilMs) return BUSY;
    await new Promise<void>((resolve) => clock.setTimer(POLL_MS, resolve));
  }
  return ALONE;
}
