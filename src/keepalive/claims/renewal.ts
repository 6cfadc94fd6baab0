import type { Held } from './claim.js';
import { type ClaimDesk, withdraw } from './desk.js';
import type { Giving } from './giving.js';
import type { TakingOver } from './taking.js';

/** Claims renewed with one call. */
const CHUNK = 500;
const AT_ONCE = 32;

/** Renews everything that is held. `lapsed`: so late that others may have had it and let it go meanwhile. Resolves false if Redis could not. */
export type Renew = (lapsed: boolean) => Promise<boolean>;

export function createRenewal(desk: ClaimDesk, takingOver: TakingOver, giving: Giving): Renew {
  const { claims, exchange, sealed, clock } = desk;

  /** Redis does not say that it is ours: it has lost it, does not know yet, or another has taken it. */
  const settle = async (key: string, held: Held, lapsed: boolean): Promise<void> => {
    const ageMs = clock.nowMs() - held.sinceMs;
    const how = { kind: 'settle', claim: held.since ?? '', ageMs } as const;
    const { got, sentAtMs } = await exchange.take(key, how, sealed.seal(key, held.record));
    const now = claims.get(key);
    withdraw(desk, key);
    if (now?.kind !== 'held' || now.since !== held.since || now.sinceMs !== held.sinceMs) return;
    switch (got?.kind) {
      case 'yours':
        claims.set(key, { ...now, since: got.since, confirmedAtMs: sentAtMs });
        // What Redis never knew of nobody can have taken by it.
        if ((lapsed && held.since !== undefined) || got.whence === 'expired') desk.listener().reassert(key);
        return;
      case 'lost':
        // Ending its stream takes its time, and the others are to be renewed.
        void giving.give(key);
        return;
      case 'asked':
        return takingOver.takeBack(key, now.record, now.sinceMs, got.holder);
      default:
        return;
    }
  };

  return async (lapsed) => {
    const held = [...claims].flatMap(([key, claim]) => (claim.kind === 'held' ? [{ key, claim }] : []));
    const doubtful = held.filter(({ claim }) => claim.since === undefined);
    const known = held.filter(({ claim }) => claim.since !== undefined);
    for (let at = 0; at < known.length; at += CHUNK) {
      const chunk = known.slice(at, at + CHUNK);
      const lost = await exchange.renew(chunk.map(({ key, claim }) => [key, claim.since ?? '']));
      if (lost === undefined) return false;
      for (const place of lost) doubtful.push(chunk[place] as (typeof chunk)[number]);
    }
    for (let at = 0; at < doubtful.length; at += AT_ONCE) {
      const some = doubtful.slice(at, at + AT_ONCE);
      await Promise.all(some.map(({ key, claim }) => settle(key, claim, lapsed)));
    }
    return !desk.away();
  };
}
