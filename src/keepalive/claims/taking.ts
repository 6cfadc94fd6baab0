import type { ClaimWhence } from '../../observe/events.js';
import type { NodeRecord } from '../node.js';
import { nodeKeyOf } from '../node.js';
import { type Claim, Taking } from './claim.js';
import { type ClaimDesk, endStream, withdraw } from './desk.js';
import type { TakeHow } from './exchange.js';
import type { Holding, Taken } from './replies.js';
import { takeFresh } from './take-fresh.js';

/** The way of a node to this replica. */
export interface TakingOver {
  /** See `Claims.take`. */
  take(record: NodeRecord): Promise<void>;
  /** A stream is open here, and another replica has one too that is older: asks it to end its own. */
  takeBack(key: string, record: NodeRecord, sinceMs: number, holder: Holding): void;
}

/** `ready`: Redis is there, or did not come soon. */
export function createTakingOver(desk: ClaimDesk, ready: Promise<void>): TakingOver {
  const { claims, exchange, sealed, timing, clock } = desk;

  const begin = (key: string, taking: Taking, after: Promise<void>): Promise<void> => {
    claims.set(key, taking);
    void after.then(() => negotiate(key, taking));
    return taking.done;
  };

  /** Asks, waits, and asks again, until it is known whose it is. */
  const negotiate = async (key: string, taking: Taking): Promise<void> => {
    let how: TakeHow = taking.holder ? { kind: 'again', claim: taking.holder.text } : { kind: 'ask' };
    let forceAtMs = clock.nowMs() + timing.patienceMs;
    for (;;) {
      const record = sealed.seal(key, taking.record);
      const { got, sentAtMs } = await takeFresh(desk, key, record, how, ({ since }) => ({
        kind: 'again',
        claim: `${since} ${desk.replica}`,
      }));
      if (claims.get(key) !== taking) return withdraw(desk, key);
      if (got?.kind !== 'asked') return settle(key, taking, got, sentAtMs);
      if (taking.holder?.text !== got.holder.text) forceAtMs = clock.nowMs() + timing.patienceMs;
      // It has heard us, and takes its time.
      else if (how.kind === 'force') forceAtMs = clock.nowMs() + timing.lookMs;
      taking.holder = got.holder;
      const rung = await taking.wait(clock, forceAtMs - clock.nowMs());
      if (claims.get(key) !== taking) return;
      how = { kind: rung ? 'again' : 'force', claim: got.holder.text };
    }
  };

  const settle = async (
    key: string,
    taking: Taking,
    got: Taken | undefined,
    sentAtMs: number,
  ): Promise<void> => {
    switch (got?.kind) {
      case 'superseded':
      case 'lost':
        return giveWay(key, taking, got.holder);
      case 'yours':
        hold(key, taking, got.since, sentAtMs);
        desk.emit({ kind: 'claim-taken', whence: whenceOf(got.whence, taking) });
        // Whoever had it has ended a stream while ours was open.
        if (taking.open) desk.listener().reassert(key);
        // Somebody may have wished for it while it was on its way.
        if (taking.holder !== undefined) desk.look();
        return;
      default:
        hold(key, taking, undefined, got === undefined ? sentAtMs : Number.POSITIVE_INFINITY);
        desk.emit({ kind: 'claim-taken', whence: 'unshared' });
    }
  };

  const hold = (
    key: string,
    { record, sinceMs, finish }: Taking,
    since: string | undefined,
    atMs: number,
  ) => {
    claims.set(key, { kind: 'held', record, since, sinceMs, confirmedAtMs: atMs });
    finish();
  };

  /** Another replica was asked later than we were, or has the newer stream. */
  const giveWay = async (key: string, taking: Taking, { replica }: Holding): Promise<void> => {
    const yielding: Claim = { kind: 'yielding', done: taking.done, released: false };
    claims.set(key, yielding);
    await endStream(desk, key);
    if (taking.open) await exchange.yield(key, '');
    desk.emit({ kind: 'claim-given', reason: taking.open ? 'late' : 'wanted' });
    if (yielding.released) claims.delete(key);
    else claims.set(key, { kind: 'elsewhere', replica });
    taking.finish();
  };

  const take = (record: NodeRecord): Promise<void> => {
    const key = nodeKeyOf(record.node);
    const claim = claims.get(key);
    switch (claim?.kind) {
      case 'taking':
        claim.record = record;
        return claim.done;
      case 'yielding':
        return claim.done.then(() => take(record));
      case 'held': {
        claims.set(key, { ...claim, record });
        if (claim.since !== undefined && !isSame(claim.record, record)) {
          const how: TakeHow = { kind: 'settle', claim: claim.since, ageMs: 0 };
          void exchange.take(key, how, sealed.seal(key, record)).then(() => withdraw(desk, key));
        }
        return Promise.resolve();
      }
      case 'adopting':
      case 'elsewhere':
      case undefined:
        return begin(key, new Taking(record, false, clock.nowMs()), ready);
      default:
        return claim satisfies never;
    }
  };

  return {
    take,
    takeBack(key, record, sinceMs, holder) {
      const taking = new Taking(record, true, sinceMs);
      taking.holder = holder;
      void begin(key, taking, Promise.resolve());
    },
  };
}

function whenceOf(whence: Extract<Taken, { kind: 'yours' }>['whence'], taking: Taking): ClaimWhence {
  return whence === 'mine' ? (taking.holder === undefined ? 'recovered' : 'given') : whence;
}

function isSame(one: NodeRecord, other: NodeRecord): boolean {
  return one.path === other.path && one.first.equals(other.first);
}
