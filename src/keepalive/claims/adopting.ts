import type { ClaimWhence } from '../../observe/events.js';
import type { NodeRecord } from '../node.js';
import { nodeKeyOf } from '../node.js';
import type { Adopting, Held } from './claim.js';
import { type ClaimDesk, withdraw } from './desk.js';
import type { Taken, Watched } from './replies.js';
import { takeFresh } from './take-fresh.js';

/** Nodes that come to this replica without being here. */
export interface AdoptingOver {
  /** Its holder is dead or leaving. */
  adopt(key: string): Promise<void>;
  /** A few of those at a time. */
  adoptSome(keys: readonly string[]): void;
  /** What Redis says of a node that is being adopted. */
  seen(watched: Watched): void;
  /** See `Claims.recover`. */
  recover(records: readonly NodeRecord[], former: string): Promise<readonly NodeRecord[]>;
}

const AT_ONCE = 64;
/** Nodes whose holders have been asked for them at the same time: each is inactive until this replica has come to it. */
const MOST_ASKED = 16;

export function createAdopting(desk: ClaimDesk, ready: Promise<void>): AdoptingOver {
  const { claims, exchange, sealed, timing, clock } = desk;
  /** Those under way. */
  const under = new Set<string>();

  const keep = (
    key: string,
    claim: Pick<Held, 'record' | 'since' | 'confirmedAtMs'>,
    whence: ClaimWhence,
  ): void => {
    claims.set(key, { kind: 'held', ...claim, sinceMs: clock.nowMs() });
    desk.emit({ kind: 'claim-taken', whence });
  };

  const taken = async (
    key: string,
    got: Extract<Taken, { kind: 'yours' }>,
    confirmedAtMs: number,
  ): Promise<void> => {
    const record = got.record && sealed.open(key, got.record);
    if (record === undefined) {
      // Not signed with our secret, or not whole: nobody here can open its stream.
      claims.delete(key);
      await exchange.release([key]);
      return;
    }
    keep(key, { record, since: got.since, confirmedAtMs }, got.whence === 'mine' ? 'given' : got.whence);
    // Asked for before this replica began to leave: it goes on to the next one.
    if (desk.leaving()) await exchange.offer([key]);
    else desk.listener().orphaned(record, got.whence === 'mine' ? 'leaving' : 'silent');
  };

  const adopt = async (key: string): Promise<void> => {
    const entry = enter(key);
    if (entry === undefined) return;
    const overdue = clock.nowMs() - entry.askedAtMs >= timing.patienceMs;
    const claim = overdue && entry.holder !== undefined ? entry.holder.text : '';
    under.add(key);
    const { got, sentAtMs } = await takeFresh(desk, key, undefined, { kind: 'adopt', claim });
    if (got?.kind !== 'asked') under.delete(key);
    // The node itself may have come meanwhile: it takes it from whoever has it, us included.
    if (claims.get(key) !== entry) return withdraw(desk, key);
    switch (got?.kind) {
      case 'yours':
        await taken(key, got, sentAtMs);
        // There may be more of them.
        if (under.size <= MOST_ASKED / 2) desk.look();
        return;
      case 'asked':
        if (entry.holder?.text !== got.holder.text) entry.askedAtMs = clock.nowMs();
        entry.holder = got.holder;
        return;
      default: {
        const replica = got?.kind === 'no' ? (got.holder?.replica ?? '') : '';
        if (entry.watched) claims.set(key, { kind: 'elsewhere', replica });
        else claims.delete(key);
      }
    }
  };

  /** undefined: it is here by other ways. */
  const enter = (key: string): Adopting | undefined => {
    const claim = claims.get(key);
    if (claim?.kind === 'adopting') return claim;
    if (claim !== undefined && claim.kind !== 'elsewhere') return undefined;
    const watched = claim !== undefined;
    const entry: Adopting = { kind: 'adopting', holder: undefined, askedAtMs: clock.nowMs(), watched };
    claims.set(key, entry);
    return entry;
  };

  const recoverOne = async (record: NodeRecord, former: string): Promise<NodeRecord | undefined> => {
    const key = nodeKeyOf(record.node);
    if (claims.has(key)) return undefined;
    const how = { kind: 'recover', former } as const;
    const { got, sentAtMs } = await takeFresh(desk, key, sealed.seal(key, record), how);
    if (claims.has(key) || got?.kind === 'no') return undefined;
    const since = got?.kind === 'yours' ? got.since : undefined;
    const whence = since === undefined ? 'unshared' : 'recovered';
    keep(key, { record, since, confirmedAtMs: sentAtMs }, whence);
    return record;
  };

  return {
    adopt,
    adoptSome(keys) {
      const room = Math.max(0, MOST_ASKED - under.size);
      for (const key of keys.filter((one) => !under.has(one)).slice(0, room)) void adopt(key);
    },
    seen({ key, holder, wisher }) {
      const claim = claims.get(key);
      if (claim?.kind !== 'adopting' || claim.holder === undefined) return;
      const waits = holder?.text === claim.holder.text && wisher?.replica === desk.replica;
      const overdue = clock.nowMs() - claim.askedAtMs >= timing.patienceMs;
      if (!waits || overdue) void adopt(key);
    },
    async recover(records, former) {
      await ready;
      const ours: NodeRecord[] = [];
      for (let at = 0; at < records.length; at += AT_ONCE) {
        const some = records.slice(at, at + AT_ONCE).map((record) => recoverOne(record, former));
        ours.push(...(await Promise.all(some)).filter((record) => record !== undefined));
      }
      return ours;
    },
  };
}
