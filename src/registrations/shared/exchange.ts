import type { Config } from '../../config/config.js';
import type { Emit, RedisOperation } from '../../observe/events.js';
import { createRedisClient } from '../../redis/client.js';
import { createClockOffset } from '../../redis/clock-offset.js';
import { createGuarded } from '../../redis/guarded.js';
import type { RedisKeys } from '../../redis/keys.js';
import { redisFailed } from '../../redis/redis-failed.js';
import { text, time } from '../../redis/reply.js';
import type { Script } from '../../redis/script.js';
import type { Clock } from '../../rpc/clock.js';
import {
  type FoundThere,
  type Listed,
  readAudited,
  readFound,
  readListed,
  readStamped,
  readTurn,
  type Stamped,
  type Timed,
} from './replies.js';
import { AUDIT, BURY, CLAIM, FIND, FINISH, LIST, PUT, RELEASE, TURN, WATCH } from './scripts.js';

/** Of nodes, of what is pending, of deletions: each. */
const MOST = 65_536;
/** A registration and its answer take a few hundred bytes. */
export const LARGEST_VALUE_BYTES = 64 * 1024;
/** What nobody has written to for so long, or, of deletions, what is older. */
const KEPT_MS = 30 * 24 * 3_600_000;
/** A client is back at the latest a second after Redis, asks each second for its generation, and then tells what was settled. */
const TOLD_WITHIN_MS = 3_000;
export const LIST_AT_ONCE = 128;

/** When something was, on Redis's clock or from now. */
export type When = { readonly stampUs: number } | { readonly ageMs: number };

/** A registration, by its node, and the two deletions that would name it; none for schedulers. */
export interface Named {
  readonly node: string;
  readonly deletions: readonly [string, string];
}

export interface SealedPending extends Named {
  readonly id: string;
  readonly value: Buffer;
  readonly when: When;
}

/** When the manager was asked to take what is known of a node. */
export interface KnownSince {
  readonly node: string;
  readonly when: When;
}

/** What can be said to Redis about registrations. Everything resolves within `redis.timeout`; undefined: Redis could not. */
export interface RegistrationsExchange {
  /** False while Redis is tried out again: then nobody waits for it. */
  readonly usable: boolean;
  /** How long it has said nothing. */
  readonly silentMs: number;
  /**
   * With another one Redis may have forgotten what it was told: it says so itself (see redis/generation.ts), or the connection is a new one, for where it does
   * not say who it is.
   */
  readonly generation: string;
  /** The connection is not the first, and so new that not every replica may have told Redis what it has forgotten. */
  readonly maybeOutdated: boolean;
  put(pending: SealedPending): Promise<Stamped<'stored' | 'superseded' | 'full'> | undefined>;
  claim(
    pending: SealedPending,
    turn: string,
    token: string,
    leaseMs: number,
  ): Promise<Stamped<'ours' | 'busy' | 'superseded' | 'outdated'> | undefined>;
  /** `id`: of the acknowledgement that is settled by it; "": of all that are no newer. Resolves to the stamp, µs. */
  finish(node: string, when: When, known: Buffer | undefined, id: string): Promise<number | undefined>;
  bury(deletion: string, ageMs: number): Promise<string | undefined>;
  find(named: Named): Promise<FoundThere | undefined>;
  list(afterUs: number): Promise<readonly Listed[] | undefined>;
  /** Which of them are known there, as of then or later? */
  audit(known: readonly KnownSince[]): Promise<readonly boolean[] | undefined>;
  /** Looks which generation it is. */
  watch(): Promise<void>;
  takeTurn(turn: string, token: string, leaseMs: number): Promise<string | undefined>;
  releaseTurn(turn: string, token: string): Promise<string | undefined>;
  connect(): void;
  close(): void;
}

export interface RegistrationsExchangeOptions {
  readonly config: Config['redis'];
  readonly keys: RedisKeys['registrations'];
  /** Connected, or failed to. */
  readonly onTried: () => void;
  /** Redis is there, or is to be tried out, by something that nobody waits for. */
  readonly onBack: () => void;
  readonly clock: Clock;
  readonly emit: Emit;
}

export function createRegistrationsExchange(options: RegistrationsExchangeOptions): RegistrationsExchange {
  const { config, keys, onTried, onBack, clock, emit } = options;
  const client = createRedisClient({
    config,
    onReady() {
      connections++;
      connectedAtMs = clock.nowMs();
      onBack();
      onTried();
    },
    onError(error) {
      emit(redisFailed('connect', error));
      onTried();
    },
  });
  const { timeoutMs } = config;
  let heardAtMs = clock.nowMs();
  let connections = 0;
  let connectedAtMs = heardAtMs;
  let said = '';
  const guarded = createGuarded({ name: 'registrations', timeoutMs, onHalfOpen: onBack, clock, emit });

  const run = async <T>(
    operation: RedisOperation,
    script: Script,
    names: readonly string[],
    args: readonly (string | Buffer)[],
    read: (reply: unknown) => T,
  ): Promise<T | undefined> => {
    // A connection that is not there has been told of already.
    if (!client.ready) return undefined;
    return guarded.run(operation, async () => {
      const reply = read(await client.run(script, names, args));
      heardAtMs = clock.nowMs();
      return reply;
    });
  };
  const offset = createClockOffset();
  /** A read of what also says what time it is at Redis. */
  const learning = <T>(read: (reply: unknown) => Timed<T>): ((reply: unknown) => T) => {
    const beforeMs = clock.nowMs();
    return (reply) => {
      const { atUs, said } = read(reply);
      offset.learn({ atUs, beforeMs, afterMs: clock.nowMs() });
      return said;
    };
  };
  const whenArgs = (when: When): [stamp: string, ageUs: string, latestUs: string] => {
    if ('stampUs' in when) return [String(when.stampUs), '0', ''];
    const nowMs = clock.nowMs();
    return ['', us(when.ageMs), String(offset.latestUs(nowMs - when.ageMs, nowMs) ?? '')];
  };
  const bounds = [String(MOST), String(KEPT_MS)];
  const reading = [String(LARGEST_VALUE_BYTES), String(KEPT_MS), String(TOLD_WITHIN_MS)];
  const putArgs = ({ node, id, value, when, deletions }: SealedPending): (string | Buffer)[] => [
    node,
    id,
    value,
    ...whenArgs(when),
    ...deletions,
    ...bounds,
  ];

  return {
    get usable() {
      return client.ready && guarded.closed;
    },
    get silentMs() {
      return clock.nowMs() - heardAtMs;
    },
    get generation() {
      return `${connections} ${said}`;
    },
    get maybeOutdated() {
      return connections > 1 && clock.nowMs() - connectedAtMs < TOLD_WITHIN_MS;
    },
    put: (pending) =>
      run('registration-put', PUT, keys.all, putArgs(pending), (reply) =>
        readStamped(reply, ['stored', 'superseded', 'full']),
      ),
    claim: (pending, turn, token, leaseMs) =>
      run(
        'registration-claim',
        CLAIM,
        [...keys.all, keys.turn(turn)],
        [...putArgs(pending), token, String(leaseMs), String(TOLD_WITHIN_MS)],
        (reply) => readStamped(reply, ['ours', 'busy', 'superseded', 'outdated']),
      ),
    finish: (node, when, known, id) =>
      run(
        'registration-finish',
        FINISH,
        keys.all,
        [node, ...whenArgs(when), known ?? '', id, ...bounds],
        time,
      ),
    bury: (deletion, ageMs) =>
      run('registration-bury', BURY, keys.all, [deletion, ...whenArgs({ ageMs }), ...bounds], text),
    find: ({ node, deletions }) =>
      run('registration-find', FIND, keys.all, [node, ...deletions, ...reading], readFound),
    list: (afterUs) =>
      run(
        'registration-list',
        LIST,
        keys.all,
        [String(afterUs), String(LIST_AT_ONCE), ...reading],
        readListed,
      ),
    async audit(known) {
      const args = known.flatMap(({ node, when }) => [node, ...whenArgs(when)]);
      const read = learning((reply) => readAudited(reply, known.length));
      const audited = await run('registration-audit', AUDIT, keys.all, [String(KEPT_MS), ...args], read);
      said = audited?.generation ?? said;
      return audited?.there;
    },
    async watch() {
      said = (await run('registration-watch', WATCH, keys.all, [String(KEPT_MS)], text)) ?? said;
    },
    takeTurn: (turn, token, leaseMs) =>
      run('registration-turn', TURN, [keys.turn(turn)], [token, String(leaseMs)], learning(readTurn)),
    releaseTurn: (turn, token) => run('registration-turn', RELEASE, [keys.turn(turn)], [token], text),
    connect: () => client.connect(),
    close() {
      guarded.shutdown();
      client.close();
    },
  };
}

function us(durationMs: number): string {
  return String(Math.max(0, Math.round(durationMs * 1_000)));
}
