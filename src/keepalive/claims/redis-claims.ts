import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '../../config/config.js';
import type { Emit } from '../../observe/events.js';
import { createCheck } from '../../redis/check.js';
import { createRedisClient, type RedisClient, type RedisClientOptions } from '../../redis/client.js';
import { redisKeys } from '../../redis/keys.js';
import type { Clock, Timer } from '../../rpc/clock.js';
import type { Claims, ClaimsListener } from '../claims.js';
import { createAdopting } from './adopting.js';
import { Belief } from './belief.js';
import type { Claim } from './claim.js';
import { countClaims } from './counts.js';
import type { ClaimDesk } from './desk.js';
import { createClaimsExchange } from './exchange.js';
import { createGiving } from './giving.js';
import { createLooking } from './looking.js';
import { createRenewal } from './renewal.js';
import { createSealedRecords } from './sealed-record.js';
import { createTakingOver } from './taking.js';
import { claimTiming } from './timing.js';

/** How long the first nodes wait for Redis, so that they do not count as alone because it is a moment later than they. */
const START_WAIT_MS = 1_000;

export interface RedisClaimsOptions {
  readonly config: Config['redis'];
  readonly leaseMs: number;
  readonly fleetId: string;
  /** Does this replica hold nodes that are not here, too? */
  readonly takesOver: () => boolean;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly createClient?: (options: RedisClientOptions) => RedisClient;
}

/** Leases in Redis: which replica holds a node's stream. docs/decisions/0017-claims.md says what they can and cannot do. */
export function createRedisClaims(options: RedisClaimsOptions): Claims {
  const { config, fleetId, clock, emit } = options;
  const replica = replicaName();
  const { claims: keys } = redisKeys({ keyPrefix: config.keyPrefix, fleetId });
  const timing = claimTiming(options.leaseMs);
  const belief = new Belief(timing, clock);
  const claims = new Map<string, Claim>();
  let listener: ClaimsListener | undefined;
  let tried = (): void => undefined;
  const ready = new Promise<void>((resolve) => {
    tried = resolve;
  });
  const timers = new Set<Timer>();

  const exchange = createClaimsExchange({
    ...options,
    keys,
    timing,
    replica,
    createClient: options.createClient ?? createRedisClient,
    onHint: (key) => looking.hear(key),
    onTried: () => tried(),
    onAway() {
      if (belief.lost()) emit({ kind: 'claims-unshared', claims: countClaims(claims).held });
      // Whoever waits for another replica waits for nobody now.
      for (const claim of claims.values()) if (claim.kind === 'taking') claim.ring();
    },
  });
  const desk: ClaimDesk = {
    replica,
    claims,
    exchange,
    sealed: createSealedRecords(
      createCheck({ secret: config.secret, fleetId, purpose: 'dfmgw claims in Redis' }),
      keys.records,
    ),
    timing,
    listener: () => listener ?? NOBODY,
    away: () => belief.away,
    leaving: () => giving.leaving || !options.takesOver(),
    look: () => looking.look(),
    untold: { releases: new Set(), yields: new Map() },
    clock,
    emit,
  };
  const takingOver = createTakingOver(desk, ready);
  const giving = createGiving(desk);
  const adopting = createAdopting(desk, ready);
  const renew = createRenewal(desk, takingOver, giving);
  const looking = createLooking({ desk, belief, giving, adopting, renew });

  return {
    replica,
    start(to) {
      listener = to;
      exchange.connect();
      looking.start(ready);
      timers.add(clock.setTimer(START_WAIT_MS, tried));
    },
    take: takingOver.take,
    holds: (key) => belief.holds(claims.get(key)),
    holderOf(key) {
      const claim = claims.get(key);
      if (claim?.kind === 'held') return replica;
      if (claim?.kind === 'taking' || claim?.kind === 'adopting') return claim.holder?.replica;
      return claim?.kind === 'elsewhere' && claim.replica !== '' ? claim.replica : undefined;
    },
    heldElsewhere: (key) => claims.get(key)?.kind === 'elsewhere',
    recover: adopting.recover,
    release: giving.release,
    leave: giving.leave,
    offer: giving.offer,
    counts: () => countClaims(claims),
    async stop() {
      looking.stop();
      for (const timer of timers) timer.cancel();
      tried();
      await Promise.all([...claims.keys()].map((key) => giving.release(key)));
      exchange.close();
    },
  };
}

const NOBODY: ClaimsListener = {
  yield: () => Promise.resolve(),
  reassert: () => undefined,
  orphaned: () => undefined,
  freed: () => undefined,
};

/** For people the name of the machine, which in a cluster is the pod's; and no two are one. */
function replicaName(): string {
  const machine = hostname()
    .replace(/[^A-Za-z0-9.-]/g, '-')
    .slice(0, 63);
  return `${machine}-${randomBytes(6).toString('base64url')}`;
}
