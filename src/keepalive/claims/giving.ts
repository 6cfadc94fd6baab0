import type { Timer } from '../../rpc/clock.js';
import { createSlots } from '../../rpc/slots.js';
import { batched } from './batched.js';
import type { Held, Yielding } from './claim.js';
import { type ClaimDesk, endStream, MOST_UNTOLD } from './desk.js';
import { createEnded } from './ended.js';
import type { Yielded } from './replies.js';

/** The ways of a node from this replica. */
export interface Giving {
  /** Another replica wants it, or has it already. */
  give(key: string): Promise<void>;
  /** See `Claims`. */
  release(key: string): Promise<void>;
  offer(key: string, deadlineMs: number): Promise<boolean>;
  leave(): void;
  readonly leaving: boolean;
  /** Whatever was offered is waited for in vain. */
  nobodyThere(): void;
  /** Tells Redis what has ended here while it was away. */
  tell(): Promise<void>;
  /** Tells Redis once more what has ended here of late: it may have forgotten. Resolves true once it is told. */
  tellAgain(): Promise<boolean>;
}

/** Nodes given away at the same time. Each is inactive from the end of its stream here to the opening of the one there. */
const AT_ONCE = 16;
const SLOT_MS = 40;
/** Ends told with one call. */
const CHUNK = 500;

export function createGiving(desk: ClaimDesk): Giving {
  const { claims, exchange, timing, clock, untold } = desk;
  const offered = new Map<string, (given: boolean) => void>();
  let leaving = false;
  const ended = createEnded(clock, timing.leaseMs + timing.rubbishMs);
  const inTurn = createSlots(AT_ONCE, SLOT_MS, clock);

  const settle = (key: string, entry: Yielding, result: Yielded | undefined): void => {
    const replica = result === undefined ? '' : result.kind === 'free' ? undefined : result.to.replica;
    if (entry.released || replica === undefined) claims.delete(key);
    else claims.set(key, { kind: 'elsewhere', replica });
    if (result?.kind === 'free' && !entry.released) desk.listener().freed(key);
    if (result?.kind === 'given' || result?.kind === 'late') {
      desk.emit({ kind: 'claim-given', reason: result.kind === 'given' ? 'wanted' : 'late' });
      offered.get(key)?.(true);
    }
  };

  const give = (key: string): Promise<void> => {
    const held = claims.get(key);
    // Redis remembers us from before it was another's.
    if (held === undefined || held.kind === 'elsewhere') return releaseAll(key);
    if (held.kind !== 'held') return Promise.resolve();
    let finish = (): void => undefined;
    const entry: Yielding = {
      kind: 'yielding',
      done: new Promise((resolve) => {
        finish = () => resolve(undefined);
      }),
      released: false,
    };
    claims.set(key, entry);
    void inTurn(() => handOver(key, held, entry)).then(finish);
    return entry.done;
  };

  const handOver = async (key: string, { since = '' }: Held, entry: Yielding): Promise<void> => {
    await endStream(desk, key);
    const result = await exchange.yield(key, since);
    if (result === undefined) untold.yields.set(key, since);
    settle(key, entry, result);
  };

  const releaseAll = batched(async (keys) => {
    if ((await exchange.release(keys)) !== undefined) return;
    for (const key of keys) if (untold.releases.size < MOST_UNTOLD) untold.releases.add(key);
  });
  const offerAll = batched((keys) => exchange.offer(keys));

  const release = async (key: string): Promise<void> => {
    const claim = claims.get(key);
    switch (claim?.kind) {
      case 'yielding':
        // Not waited for: whoever ends the stream may be the one who releases it.
        claim.released = true;
        return;
      case 'taking':
        claims.delete(key);
        claim.finish();
        return releaseAll(key);
      case 'held':
        ended.add(key);
        claims.delete(key);
        return releaseAll(key);
      case 'adopting':
        claims.delete(key);
        return releaseAll(key);
      case 'elsewhere':
        claims.delete(key);
        return;
      case undefined:
        return;
      default:
        return claim satisfies never;
    }
  };

  /** Resolves true when it was given to somebody, false at the deadline. */
  const given = (key: string, deadlineMs: number): Promise<boolean> =>
    new Promise((resolve) => {
      let timer: Timer | undefined;
      const end = (how: boolean): void => {
        timer?.cancel();
        offered.delete(key);
        resolve(how);
      };
      offered.set(key, end);
      timer = clock.setTimer(deadlineMs - clock.nowMs(), () => end(false));
    });

  return {
    give,
    release,
    leave() {
      leaving = true;
    },
    async offer(key, deadlineMs) {
      leaving = true;
      const claim = claims.get(key);
      if (claim?.kind === 'elsewhere') return true;
      if (claim?.kind === 'yielding') return given(key, deadlineMs);
      if (claim?.kind !== 'held' || claim.since === undefined) return false;
      const wasGiven = given(key, deadlineMs);
      const others = await offerAll(key);
      // Nobody is there for whom it could wait.
      if (!others && claims.get(key)?.kind === 'held') return false;
      return wasGiven;
    },
    get leaving() {
      return leaving;
    },
    nobodyThere() {
      for (const [key, end] of offered) if (claims.get(key)?.kind === 'held') end(false);
    },
    async tell() {
      const [releases, yields] = [[...untold.releases], [...untold.yields]];
      untold.releases.clear();
      untold.yields.clear();
      const gone = releases.filter((key) => claims.get(key) === undefined);
      if (gone.length > 0 && (await exchange.release(gone)) === undefined)
        for (const key of gone) untold.releases.add(key);
      for (const [key, since] of yields) {
        // It has come back meanwhile.
        if (claims.has(key) && claims.get(key)?.kind !== 'elsewhere') continue;
        const result = await exchange.yield(key, since);
        if (result === undefined) untold.yields.set(key, since);
        else if (result.kind === 'free') {
          claims.delete(key);
          desk.listener().freed(key);
        }
      }
    },
    async tellAgain() {
      // What has come back since is renewed.
      const all = ended.all().filter(([key]) => !claims.has(key));
      for (let at = 0; at < all.length; at += CHUNK)
        if ((await exchange.ended(all.slice(at, at + CHUNK))) === undefined) return false;
      return true;
    },
  };
}
