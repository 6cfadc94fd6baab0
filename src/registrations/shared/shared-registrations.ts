import type { Config } from '../../config/config.js';
import type { Emit } from '../../observe/events.js';
import { createCheck } from '../../redis/check.js';
import { redisKeys } from '../../redis/keys.js';
import type { Clock, Timer } from '../../rpc/clock.js';
import type { Book, Known, Pending } from '../book.js';
import { pendingId } from '../pending-id.js';
import {
  type Deletion,
  deletionKey,
  deletionKeys,
  type NodeName,
  nodeKey,
  turnKey,
} from '../registration.js';
import { createRegistrationsExchange, LIST_AT_ONCE, type RegistrationsExchange } from './exchange.js';
import { createRetelling } from './retelling.js';
import { ALONE, keptTurn, LEASE_MS, newToken, type SharedTurn, takeTurn } from './shared-turn.js';
import { createStampedRecords } from './stamped-records.js';

/** Whether this replica may make up for a registration now. `alone`: there is no Redis, or it is away: each makes up for its own. */
export type Claimed =
  | { readonly kind: 'ours'; readonly turn: SharedTurn }
  | { readonly kind: 'busy' | 'superseded' | 'alone' };

/**
 * `deleted`: whatever else is known of the node is older. `none`: Redis says nothing, or could not. `maybeOutdated`: what has come after it may have been
 * forgotten, and not be told again yet.
 */
export type Found = { readonly maybeOutdated: boolean } & (
  | { readonly kind: 'there'; readonly known: Known | undefined; readonly pending: Pending | undefined }
  | { readonly kind: 'deleted' | 'none' }
);

/** Registrations as all replicas know them. Nothing here rejects, and nothing but a turn takes longer than `redis.timeout`. */
export interface SharedRegistrations {
  /** Is there to be a Redis at all? */
  readonly enabled: boolean;
  /** Does it work now? */
  readonly usable: boolean;
  /** Resolves true once it is in Redis. */
  put(pending: Pending): Promise<boolean>;
  /** From now on no replica makes up for what is older; where Redis could not be told, from when it can. Resolves true if it was. */
  bury(deletion: Deletion): Promise<boolean>;
  /** The manager, asked at `askedAtMs`, has taken it. */
  learn(known: Known, askedAtMs: number): Promise<void>;
  /** It needs no making up for any more; `known`: because the manager has taken it. */
  settle(pending: Pending, known: Known | undefined): Promise<void>;
  find(node: NodeName, ip: string): Promise<Found>;
  /** The turn to make up for it, without waiting. */
  claim(pending: Pending): Promise<Claimed>;
  turn(node: Pick<NodeName, 'kind' | 'clusterId' | 'hostname'>, waitMs: number): Promise<SharedTurn>;
  /** What any replica has acknowledged, some at a time, the next ones with each call. */
  pending(): Promise<readonly Pending[]>;
  /** Resolves once Redis is there, or did not come soon. */
  start(): Promise<void>;
  stop(): void;
}

export interface SharedRegistrationsOptions {
  readonly config: Config['redis'];
  readonly fleetId: string;
  readonly book: Book;
  /** What is pending here is settled, or replaced, or its node deleted, as another replica knows. */
  readonly onSuperseded: (pending: Pending) => void;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** How long a start waits for Redis, so that the first node that registers is known. */
const START_WAIT_MS = 1_000;
/** Redis may only be about to be connected to, or fail over: what it would say is worth that wait, for others may have settled things. */
const ALONE_AFTER_MS = 5_000;
const PURPOSE = 'dfmgw registrations in Redis';

export function createSharedRegistrations(options: SharedRegistrationsOptions): SharedRegistrations {
  return options.config.addrs.length === 0 ? WITHOUT_REDIS : createShared(options);
}

function createShared(options: SharedRegistrationsOptions): SharedRegistrations {
  const { config, fleetId, clock } = options;
  const keys = redisKeys({ keyPrefix: config.keyPrefix, fleetId }).registrations;
  const check = createCheck({ secret: config.secret, fleetId, purpose: PURPOSE });
  const records = createStampedRecords({ ...options, check, name: keys.all.join(' ') });
  let tried: () => void = () => undefined;
  const triedOnce = new Promise<void>((resolve) => {
    tried = resolve;
  });
  let listedToUs = 0;

  const exchange: RegistrationsExchange = createRegistrationsExchange({
    ...options,
    keys,
    onTried: () => tried(),
    onBack: () => void retelling.retell(),
  });
  const put = async (pending: Pending): Promise<'stored' | 'superseded' | 'not'> => {
    const sealed = records.sealPending(pending);
    const result = sealed && (await exchange.put(sealed));
    if (result === undefined || result.word === 'full') return 'not';
    records.stamp(pending, result);
    return result.word;
  };
  const finish = async (record: Known | Pending, known: Known | undefined): Promise<boolean> => {
    const node = nodeKey(record.registration.node);
    const value = known && records.sealKnown(known);
    const id = record.kind === 'pending' ? pendingId(record) : '';
    const stampUs = await exchange.finish(node, records.when(record), value, id);
    // Measured anew, it could come out as later than what came after it, which would be taken for settled.
    if (stampUs === undefined) return false;
    for (const one of [record, known]) if (one !== undefined) records.stamp(one, { stampUs });
    return true;
  };
  const retelling = createRetelling({
    ...options,
    exchange,
    learn: (known) => finish(known, known),
    when: records.when,
    async put(pending) {
      const result = await put(pending);
      if (result === 'superseded') options.onSuperseded(pending);
      return result !== 'not';
    },
  });
  const alone = (): Claimed => ({ kind: exchange.silentMs < ALONE_AFTER_MS ? 'busy' : 'alone' });

  return {
    enabled: true,
    get usable() {
      return exchange.usable;
    },
    async put(pending) {
      records.stamp(pending, { atMs: clock.nowMs() });
      return exchange.usable && (await put(pending)) === 'stored';
    },
    bury(deletion) {
      const [receivedAtMs, key] = [clock.nowMs(), deletionKey(deletion)];
      return retelling.tellForGood(`deletion ${key}`, async () => {
        return (await exchange.bury(key, clock.nowMs() - receivedAtMs)) !== undefined;
      });
    },
    async learn(known, askedAtMs) {
      records.stamp(known, { atMs: askedAtMs });
      await retelling.tell(`node ${nodeKey(known.registration.node)}`, () => finish(known, known));
    },
    async settle(pending, known) {
      const when = records.when(pending);
      // Told later, it is to count from now.
      records.stamp(pending, 'ageMs' in when ? { atMs: clock.nowMs() - when.ageMs } : when);
      await retelling.tellForGood(`settled ${nodeKey(pending.registration.node)}`, () =>
        finish(pending, known),
      );
    },
    async find(name, ip) {
      if (!exchange.usable) return NOTHING;
      const node = nodeKey(name);
      const there = await exchange.find({ node, deletions: deletionKeys(name, ip) });
      const known = there && records.openKnown(node, there.known.value);
      const pending = there && records.openPending(node, there.pending.value, there.pending.stampUs);
      const maybeOutdated = exchange.maybeOutdated || there?.maybeOutdated === true;
      if (known !== undefined || pending !== undefined)
        return { kind: 'there', known, pending, maybeOutdated };
      return { kind: there !== undefined && there.deletedUs > 0 ? 'deleted' : 'none', maybeOutdated };
    },
    async claim(pending) {
      const { kind, clusterId, hostname } = pending.registration.node;
      const sealed = records.sealPending(pending);
      // Too large for Redis: nobody else knows of it.
      if (sealed === undefined) return { kind: 'alone' };
      if (!exchange.usable) return alone();
      if (exchange.maybeOutdated) return { kind: 'busy' };
      const [turn, token, askedAtMs] = [turnKey(kind, clusterId, hostname), newToken(), clock.nowMs()];
      const result = await exchange.claim(sealed, turn, token, LEASE_MS);
      if (result === undefined) return alone();
      if (result.word !== 'ours') return { kind: result.word === 'outdated' ? 'busy' : result.word };
      records.stamp(pending, result);
      return { kind: 'ours', turn: keptTurn(exchange, clock, { turn, token, askedAtMs }) };
    },
    turn: ({ kind, clusterId, hostname }, waitMs) =>
      takeTurn(exchange, clock, turnKey(kind, clusterId, hostname), waitMs),
    async pending() {
      const some = exchange.usable && !exchange.maybeOutdated ? await exchange.list(listedToUs) : undefined;
      // Behind the last one comes the first again.
      listedToUs = some?.at(LIST_AT_ONCE - 1)?.stampUs ?? 0;
      return (some ?? []).flatMap(
        ({ node, value, stampUs }) => records.openPending(node, value, stampUs) ?? [],
      );
    },
    async start() {
      exchange.connect();
      retelling.start();
      let timer: Timer | undefined;
      const late = new Promise<void>((resolve) => {
        timer = clock.setTimer(START_WAIT_MS, resolve);
      });
      await Promise.race([triedOnce, late]);
      timer?.cancel();
    },
    stop() {
      retelling.stop();
      tried();
      exchange.close();
    },
  };
}

const NOTHING: Found = { kind: 'none', maybeOutdated: false };

export const WITHOUT_REDIS: SharedRegistrations = {
  enabled: false,
  usable: false,
  put: () => Promise.resolve(false),
  bury: () => Promise.resolve(false),
  learn: () => Promise.resolve(),
  settle: () => Promise.resolve(),
  find: () => Promise.resolve(NOTHING),
  claim: () => Promise.resolve({ kind: 'alone' }),
  turn: () => Promise.resolve(ALONE),
  pending: () => Promise.resolve([]),
  start: () => Promise.resolve(),
  stop: () => undefined,
};
