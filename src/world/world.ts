import { GatewayError } from '../errors.js';
import type { Emit, ErrorClass } from '../observe/events.js';
import type { Answer } from '../rpc/answer.js';
import type { Clock, Timer } from '../rpc/clock.js';
import type { Read, Stage } from '../rpc/read.js';
import type { Status } from '../rpc/status.js';
import { type Facts, factsOf } from './facts.js';
import { createKnownWorld, type KnownWorldOptions } from './known-world.js';
import { callTheRoll, type RollCallOptions } from './roll-call.js';

/** Is the manager that answers the one whose answers are remembered? */
export interface World {
  /** Below remember: lets nothing of another world through, for as long as the operator has not accepted it. */
  readonly stage: Stage;
  /** Something has been remembered: it is of the known world. `expired`: something that it shows has been written to since. */
  learn(
    remembered: Pick<Answer, 'reply' | 'askedAtMs'> & Pick<Read, 'question'> & { readonly expired: boolean },
  ): void;
  /** Why nothing of this manager is taken, and nothing is written to it; undefined: it is the known one, as far as is known. */
  readonly frozen: string | undefined;
  /** The managers went away, or one came back: nobody knows which one. */
  unsure(): void;
  /** Has the manager that is there been found to be the known one? If nobody knows, it is being found out. */
  cleared(): boolean;
  /** The operator says that it is the right one. False: nothing was frozen. */
  accept(): boolean;
  /** Writes pass, or have passed, that nobody reads: any seed peer may have been deleted. */
  unread(): void;
  stop(): void;
}

export interface WorldOptions extends RollCallOptions, KnownWorldOptions {
  readonly classify: (status: Status) => ErrorClass | undefined;
  readonly managerHealthy: () => boolean;
  /** The last good answer to this question. */
  readonly remembered: (key: string) => Answer | undefined;
  /** Everything remembered is of a world that is no more. */
  readonly forgetAll: () => void;
  readonly clock: Clock;
  readonly emit: Emit;
}

type Verdict = 'known' | 'other' | 'nobody-knows';

/** One roll call answers for this long, however many answers look suspicious. */
const VERDICT_MS = 10_000;
/** While frozen the roll is called again without anybody's asking, this often: our own may be back, and nobody may call. */
const LOOK_AGAIN_MS = 30_000;
const SUSPICIOUS_LOSS = 1 / 5;
/** Clusters that a roll call asks for. A database that knows one of them is ours: others may have been deleted. */
const ROLL_CALL_CLUSTERS = 5;

export function createWorld(options: WorldOptions): World {
  const { clock, emit } = options;
  const known = createKnownWorld(options);
  let frozen: string | undefined;
  let sure = false;
  let verdict: { readonly atMs: number; readonly of: Promise<Verdict> } | undefined;
  let timer: Timer | undefined;
  let stopped = false;
  // What was asked of a world that has been accepted since, or whose seed peers may have been deleted since, shows nothing.
  let era = 0;

  const freeze = (detail: string): Verdict => {
    if (frozen === undefined) emit({ kind: 'world-frozen', detail });
    frozen = `this looks like another manager (${detail}); nothing of it is taken until POST /api/accept-manager`;
    lookIn(LOOK_AGAIN_MS);
    return 'other';
  };
  const thaw = (): void => {
    frozen = undefined;
    timer?.cancel();
    timer = undefined;
  };
  const judge = async (): Promise<Verdict> => {
    const begunIn = era;
    const [nodes, clusterIds] = [known.rollCall(), known.clusterIds().slice(0, ROLL_CALL_CLUSTERS)];
    const found = await callTheRoll(options, nodes, clusterIds);
    if (found.kind === 'nobody-knows' || era !== begunIn) {
      // Some row could not be asked for, as when a connection is not there yet: nobody else may ask.
      lookIn(VERDICT_MS);
      return 'nobody-knows';
    }
    const contradictions = found.facts.flatMap((facts) => known.contradiction(facts) ?? []);
    const detail = found.noCluster
      ? 'its database does not know our clusters'
      : (contradictions[0] ?? known.judge(found.called, clock.nowMs()));
    if (detail !== undefined) return freeze(detail);
    if (frozen !== undefined) emit({ kind: 'world-known-again' });
    thaw();
    sure = true;
    emit({ kind: 'world-cleared' });
    return 'known';
  };
  const rollCall = (): Promise<Verdict> => {
    if (verdict !== undefined && clock.nowMs() - verdict.atMs < VERDICT_MS) return verdict.of;
    const of = judge();
    verdict = { atMs: clock.nowMs(), of };
    return of;
  };
  const rollCallBehind = (): void => {
    rollCall().catch((error: unknown) => emit({ kind: 'internal-error', where: 'the roll call', error }));
  };
  const lookIn = (delayMs: number): void => {
    if (timer !== undefined || stopped) return;
    timer = clock.setTimer(delayMs, () => {
      timer = undefined;
      if (options.managerHealthy()) rollCallBehind();
      if (frozen !== undefined) lookIn(LOOK_AGAIN_MS);
    });
  };

  const examine = async (read: Read, answer: Answer): Promise<void> => {
    const facts = factsOf(read.question, answer.reply, options.decode);
    const contradiction = known.contradiction(facts);
    if (contradiction !== undefined) freeze(contradiction);
    else if (frozen !== undefined || isSuspicious(options, read, facts)) await rollCall();
  };

  return {
    stage: (next) => async (read) => {
      const answer = await next(read);
      if (options.classify(answer.reply.status) !== undefined) return answer;
      await examine(read, answer);
      if (frozen !== undefined) throw new GatewayError('manager-unavailable', `manager-gateway: ${frozen}`);
      return answer;
    },
    learn({ question, reply, askedAtMs, expired }) {
      if (frozen !== undefined) return;
      const facts = factsOf(question, reply, options.decode);
      // Seed peers are deleted through here, and after a restart nobody knows which: an answer from before proves nothing of them.
      const nodes = expired ? facts.nodes.filter(({ kind }) => kind === 'scheduler') : facts.nodes;
      known.learn({ ...facts, nodes }, askedAtMs);
    },
    get frozen() {
      return frozen;
    },
    unsure() {
      sure = false;
      verdict = undefined;
    },
    cleared() {
      if (known.isEmpty) return frozen === undefined;
      if (frozen !== undefined || !sure) rollCallBehind();
      return frozen === undefined && sure;
    },
    accept() {
      if (frozen === undefined) return false;
      era++;
      known.forget();
      options.forgetAll();
      thaw();
      verdict = undefined;
      sure = true;
      emit({ kind: 'world-accepted' });
      return true;
    },
    unread() {
      // What shows another world goes on showing it.
      if (frozen !== undefined) return;
      era++;
      known.forgetSeedPeers(clock.nowMs());
      verdict = undefined;
    },
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

/** Less than was there: lost nodes of a list, or a row. Inactive ones leave lists, too, so this alone proves nothing. */
function isSuspicious(options: WorldOptions, { question }: Read, facts: Facts): boolean {
  const last = options.remembered(question.key);
  if (last === undefined) return false;
  const before = factsOf(question, last.reply, options.decode);
  if (before.nodes.length === 0 && before.clusters.size === 0) return false;
  if (facts.notFound) return true;
  const now = new Set(facts.nodes.map(({ hostname }) => hostname));
  const lost = before.nodes.filter(({ hostname }) => !now.has(hostname)).length;
  const moved = before.clusters.size > 0 && ![...before.clusters.keys()].some((id) => facts.clusters.has(id));
  return moved || lost > before.nodes.length * SUSPICIOUS_LOSS;
}
