import type { Config } from '../../config/config.js';
import type { Emit, RedisOperation } from '../../observe/events.js';
import type { RedisClient, RedisClientOptions } from '../../redis/client.js';
import { createGuarded } from '../../redis/guarded.js';
import type { ClaimKeys } from '../../redis/keys.js';
import { redisFailed } from '../../redis/redis-failed.js';
import { text } from '../../redis/reply.js';
import type { Script } from '../../redis/script.js';
import type { Clock } from '../../rpc/clock.js';
import { createSlots } from '../../rpc/slots.js';
import { NODE_RECORD_SCHEMA } from '../stored-record.js';
import {
  type Look,
  readCount,
  readLook,
  readLost,
  readTaken,
  readYielded,
  type Taken,
  type Yielded,
} from './replies.js';
import { ENDED, LOOK, OFFER, RELEASE, RENEW, TAKE, YIELD } from './scripts.js';
import type { ClaimTiming } from './timing.js';

/** Nodes of a fleet that Redis keeps claims of; those beyond it are held by whoever has them. */
const MOST_NODES = 65_536;
/**
 * Nodes that are asked for at the same time: a thousand that come at once would otherwise make the last of them wait for longer than
 * `redis.timeout`, and Redis look away.
 */
const TAKES_AT_ONCE = 64;
/** Candidates that one look brings. */
const MOST_CANDIDATES = 128;

/**
 * How a node is taken. `ask`: from whoever holds it; `again`: still waiting for `claim` to be given up; `force`: without waiting any
 * longer; `settle`: a stream of it is open here, as `claim` or, where Redis does not know of it, since `ageMs`; `adopt`: if nobody lives who
 * holds it, or its holder is leaving (with `claim`: and has not given that up in time); `recover`: if nobody holds it but `former`.
 */
export type TakeHow =
  | { readonly kind: 'ask' }
  | { readonly kind: 'again' | 'force'; readonly claim: string }
  | { readonly kind: 'settle'; readonly claim: string; readonly ageMs: number }
  | { readonly kind: 'adopt'; readonly claim: string }
  | { readonly kind: 'recover'; readonly former: string };

/** Which nodes of others a replica may take over: those of the dead, too, only those of who is leaving, or none, because it leaves itself. */
export type Adopts = 'all' | 'offered' | 'none';

/** What Redis said of a node that was to be taken, and when it was asked, monotonic ms: who has to wait until he may ask is not late for that. */
export interface TakeReply {
  readonly got: Taken | undefined;
  readonly sentAtMs: number;
}

/** What can be said to Redis about claims, and what it said. Everything resolves within `redis.timeout`; undefined: Redis could not. */
export interface ClaimsExchange {
  take(key: string, how: TakeHow, record: Buffer | undefined): Promise<TakeReply>;
  /** Resolves to the places, in `held`, of those that are not held so any more. */
  renew(held: readonly (readonly [key: string, claim: string])[]): Promise<readonly number[] | undefined>;
  yield(key: string, claim: string): Promise<Yielded | undefined>;
  release(keys: readonly string[]): Promise<number | undefined>;
  /** Told once more to a Redis that may have forgotten it; ages in ms. */
  ended(ended: readonly (readonly [key: string, ageMs: number])[]): Promise<string | undefined>;
  /** Resolves to the number of replicas that may want them. */
  offer(keys: readonly string[]): Promise<number | undefined>;
  /** `away`: nobody here knows yet that Redis is there. */
  look(watched: readonly string[], adopts: Adopts, away: boolean): Promise<Look | undefined>;
  connect(): void;
  close(): void;
}

export interface ClaimsExchangeOptions {
  readonly config: Config['redis'];
  readonly keys: ClaimKeys;
  readonly timing: ClaimTiming;
  /** Names this process among the replicas. */
  readonly replica: string;
  readonly createClient: (options: RedisClientOptions) => RedisClient;
  /** Something may concern us, about this node; undefined: about any, or hints may have been missed. */
  readonly onHint: (key: string | undefined) => void;
  /** Connected, or failed to. */
  readonly onTried: () => void;
  /** Redis could not. */
  readonly onAway: () => void;
  readonly clock: Clock;
  readonly emit: Emit;
}

export function createClaimsExchange(options: ClaimsExchangeOptions): ClaimsExchange {
  const { config, keys, timing, replica, onHint, clock, emit } = options;
  const client = options.createClient({
    config,
    channel: keys.channel,
    onReady() {
      onHint(undefined);
      options.onTried();
    },
    onError(error) {
      emit(redisFailed('connect', error));
      options.onTried();
    },
    onSubscribed: () => onHint(undefined),
    onSubscribeError: (error) => emit(redisFailed('subscribe', error)),
    onNews(message) {
      const [, from, to, key] = /^(\S+) (\S+) (.*)$/s.exec(message) ?? [];
      if (from !== undefined && from !== replica && (to === replica || to === '*')) onHint(key || undefined);
    },
  });
  const guarded = createGuarded({
    name: 'claims',
    timeoutMs: config.timeoutMs,
    onHalfOpen: () => onHint(undefined),
    clock,
    emit,
  });
  const times = [us(timing.leaseMs), us(timing.freshMs), ms(timing.keptMs)];
  const common = [replica, ...times, keys.channel, us(timing.thereMs)];

  const inTurn = createSlots(TAKES_AT_ONCE, config.timeoutMs, clock);

  const run = async <T>(
    operation: RedisOperation,
    script: Script,
    args: readonly (string | Buffer)[],
    read: (reply: unknown) => T,
  ): Promise<T | undefined> => {
    const attempt = async (): Promise<T> => read(await client.run(script, keys.all, [...common, ...args]));
    // A connection that is not there has been told of already.
    const result = client.ready ? await guarded.run(operation, attempt) : undefined;
    if (result === undefined) options.onAway();
    return result;
  };

  return {
    take(key, how, record) {
      const args = [key, how.kind, record ?? '', aboutOf(how), us(how.kind === 'settle' ? how.ageMs : 0)];
      const all = [...args, String(MOST_NODES), String(NODE_RECORD_SCHEMA), us(timing.yieldMs)];
      return inTurn(async () => {
        const sentAtMs = clock.nowMs();
        return { got: await run('claim-take', TAKE, all, readTaken), sentAtMs };
      });
    },
    renew: (held) => run('claim-renew', RENEW, held.flat(), (reply) => readLost(reply, held.length)),
    yield: (key, claim) => run('claim-yield', YIELD, [key, claim], readYielded),
    release: (released) => run('claim-release', RELEASE, released, readCount),
    ended(ended) {
      const args = ended.flatMap(([key, ageMs]) => [key, us(ageMs)]);
      return run('claim-ended', ENDED, args, text);
    },
    offer: (offered) => run('claim-offer', OFFER, offered, readCount),
    look(watched, adopts, away) {
      const bounds = [String(MOST_CANDIDATES), us(timing.rubbishMs), us(timing.longestLeaseMs)];
      const args = [adopts, ...bounds, away ? 'away' : '', ...watched];
      return run('claim-look', LOOK, args, (reply) => readLook(reply, watched));
    },
    connect: () => client.connect(),
    close() {
      guarded.shutdown();
      client.close();
    },
  };
}

function aboutOf(how: TakeHow): string {
  switch (how.kind) {
    case 'ask':
      return '';
    case 'recover':
      return how.former;
    case 'again':
    case 'force':
    case 'adopt':
    case 'settle':
      return how.claim;
    default:
      return how satisfies never;
  }
}

function us(durationMs: number): string {
  return ms(durationMs * 1_000);
}

function ms(duration: number): string {
  return String(Math.max(0, Math.round(duration)));
}
