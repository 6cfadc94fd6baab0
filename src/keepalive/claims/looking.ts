import type { Timer } from '../../rpc/clock.js';
import type { AdoptingOver } from './adopting.js';
import type { Belief } from './belief.js';
import type { ClaimDesk } from './desk.js';
import type { Giving } from './giving.js';
import type { Renew } from './renewal.js';
import type { Look, Watched } from './replies.js';

/** The rhythm of it all: looks at what others want, renews what is held, and notices when Redis goes and comes. */
export interface Looking {
  /** From then on. */
  start(after: Promise<void>): void;
  /** Looks at once, or once more after the look under way. */
  look(): void;
  /** Somebody says that something about this node may concern us. */
  hear(key: string | undefined): void;
  stop(): void;
}

export interface LookingOptions {
  readonly desk: ClaimDesk;
  readonly belief: Belief;
  readonly giving: Giving;
  readonly adopting: AdoptingOver;
  readonly renew: Renew;
}

/** Members that one look asks about; more of them have their turn later. */
const WAITING_AT_ONCE = 512;
const ELSEWHERE_AT_ONCE = 128;

export function createLooking({ desk, belief, giving, adopting, renew }: LookingOptions): Looking {
  const { claims, exchange, timing, clock } = desk;
  let timer: Timer | undefined;
  let stopped = false;
  let running = false;
  let again = false;
  let renewedAtMs = Number.NEGATIVE_INFINITY;
  let turn = 0;
  /** Of Redis, when it was last told of everything. */
  let toldOver: string | undefined;

  /** Those that wait for an answer, and a few of those that another replica holds, in turn. */
  const watchList = (): string[] => {
    const waiting: string[] = [];
    const elsewhere: string[] = [];
    for (const [key, { kind }] of claims) {
      if (kind === 'elsewhere') elsewhere.push(key);
      else if (kind === 'taking' || kind === 'adopting') waiting.push(key);
    }
    const first = elsewhere.length <= ELSEWHERE_AT_ONCE ? 0 : turn++ * ELSEWHERE_AT_ONCE;
    const some = elsewhere.map((_, i) => elsewhere[(first + i) % elsewhere.length] as string);
    return [...waiting.slice(0, WAITING_AT_ONCE), ...some.slice(0, ELSEWHERE_AT_ONCE)];
  };

  /** So late that others may have had what is held here, and given it up again: by the last renewal, not by the last look. */
  const isLapsed = (): boolean => clock.nowMs() - renewedAtMs > timing.leaseMs;

  const renewAll = async (lapsed: boolean): Promise<void> => {
    const sentAtMs = clock.nowMs();
    if (!(await renew(lapsed))) return;
    renewedAtMs = sentAtMs;
    belief.confirm(sentAtMs);
  };

  /** First what has ended: to what is held, too, Redis may remember an earlier holder, who is dead. */
  const tellAgain = async (generation: string): Promise<void> => {
    if (toldOver !== generation && (await giving.tellAgain())) toldOver = generation;
  };

  /**
   * Redis is back: what it missed first, then what it has lost. It may have been away for us alone, who was frozen, say, and heard no answer
   * in time: what it has kept of everything but a claim of ours, another one has taken and given up.
   */
  const comeBack = async ({ remembers, generation }: Look): Promise<void> => {
    const lapsed = remembers && isLapsed();
    belief.returned();
    await giving.tell();
    await tellAgain(generation);
    await renewAll(lapsed);
    // With the next one Redis knows that we look.
    if (!remembers) void look();
    if (belief.shared()) desk.emit({ kind: 'claims-shared', claims: claims.size });
  };

  /** `isTold`: everybody has told Redis what it may have forgotten. */
  const watched = (one: Watched, isTold: boolean): void => {
    const { key, holder, wisher } = one;
    const claim = claims.get(key);
    switch (claim?.kind) {
      case 'taking':
        if (holder?.text !== claim.holder?.text || wisher?.replica !== desk.replica) claim.ring();
        return;
      case 'adopting':
        adopting.seen(one);
        return;
      case 'elsewhere':
        // Ours by Redis, and not by what we know: an answer was lost.
        if (holder !== undefined && holder.replica !== desk.replica) {
          claims.set(key, { kind: 'elsewhere', replica: holder.replica });
          return;
        }
        if (desk.untold.yields.has(key) || !isTold) return;
        claims.delete(key);
        desk.listener().freed(key);
        return;
      default:
        return;
    }
  };

  const act = ({ wanted, reassert, candidates, ...seen }: Look): void => {
    if (seen.others === 0) giving.nobodyThere();
    for (const key of wanted) void giving.give(key);
    for (const key of reassert) {
      if (claims.get(key)?.kind !== 'held') continue;
      desk.emit({ kind: 'claim-reasserted' });
      desk.listener().reassert(key);
    }
    for (const one of seen.watched) watched(one, seen.ageMs >= timing.thereMs);
    if (candidates.length > 0) adopting.adoptSome(candidates);
  };

  const lookOnce = async (): Promise<void> => {
    const sentAtMs = clock.nowMs();
    // Who was frozen asks first whether anything is still its own.
    if (!belief.away && (belief.isDoubtful || sentAtMs - renewedAtMs >= timing.renewMs))
      await renewAll(isLapsed());
    const adopts = desk.leaving() ? 'none' : belief.mayAdopt ? 'all' : 'offered';
    const seen = await exchange.look(watchList(), adopts, belief.away);
    if (seen === undefined) return;
    if (belief.away) await comeBack(seen);
    else if (seen.generation !== toldOver) {
      await tellAgain(seen.generation);
      await renewAll(isLapsed());
    } else if (belief.isDoubtful) await renewAll(isLapsed());
    else belief.confirm(sentAtMs);
    if (!stopped) act(seen);
  };

  const look = async (): Promise<void> => {
    if (running || stopped) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      await lookOnce().catch((error: unknown) =>
        desk.emit({ kind: 'internal-error', where: 'looking at claims in Redis', error }),
      );
    } while (again && !stopped);
    running = false;
  };

  const beat = (): void => {
    if (stopped) return;
    void look();
    timer = clock.setTimer(timing.lookMs, beat);
  };

  return {
    start: (after) => void after.then(beat),
    look: () => void look(),
    hear(key) {
      const claim = key === undefined ? undefined : claims.get(key);
      // Whoever waits asks for itself, which is quicker than a look at everything.
      if (key !== undefined && claim?.kind === 'adopting') void adopting.adopt(key);
      else if (claim?.kind === 'taking') claim.ring();
      else if (key === undefined || claim !== undefined) void look();
    },
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}
