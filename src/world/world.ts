import { GatewayError } from '../errors.js';
import type { Emit, ErrorClass } from '../observe/events.js';
import type { Answer } from '../rpc/answer.js';
import type { Clock } from '../rpc/clock.js';
import { freshIp } from '../rpc/fresh-ip.js';
import type { Read, Stage } from '../rpc/read.js';
import type { Status } from '../rpc/status.js';
import { type Decode, type Facts, factsOf, type NodeRow } from './facts.js';
import { createKnownWorld } from './known-world.js';

/** Is the manager that answers the one whose answers are remembered? */
export interface World {
  /** Below remember: lets nothing of another world through, for as long as the operator has not accepted it. */
  readonly stage: Stage;
  /** Something has been remembered: it is of the known world. */
  learn(remembered: Pick<Answer, 'reply' | 'askedAtMs'> & Pick<Read, 'question'>): void;
  /** Why nothing of this manager is taken, and nothing is written to it; undefined: it is the known one, as far as is known. */
  readonly frozen: string | undefined;
  /** The managers went away, or one came back: nobody knows which one. */
  unsure(): void;
  /** Has the manager that is there been found to be the known one? If nobody knows, it is being found out. */
  cleared(): boolean;
  /** The operator says that it is the right one. False: nothing was frozen. */
  accept(): boolean;
}

export interface WorldOptions {
  /** Asks the manager past everything that is remembered. */
  readonly ask: (path: string, message: Buffer) => Promise<Answer>;
  readonly encode: (path: string, fields: object) => Buffer;
  readonly decode: Decode;
  readonly classify: (status: Status) => ErrorClass | undefined;
  /** The last good answer to this question. */
  readonly remembered: (key: string) => Answer | undefined;
  /** Everything remembered is of a world that is no more. */
  readonly forgetAll: () => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
}

type Verdict = 'known' | 'other' | 'nobody-knows';

/** One roll call answers for this long, however many answers look suspicious. */
const VERDICT_MS = 10_000;
const SUSPICIOUS_LOSS = 1 / 5;
/** Clusters that a roll call asks for. A database that knows one of them is ours: others may have been deleted. */
const ROLL_CALL_CLUSTERS = 5;

export function createWorld(options: WorldOptions): World {
  const { clock, emit } = options;
  const known = createKnownWorld();
  let frozen: string | undefined;
  let sure = false;
  let verdict: { readonly atMs: number; readonly of: Promise<Verdict> } | undefined;

  const freeze = (detail: string): Verdict => {
    if (frozen === undefined) emit({ kind: 'world-frozen', detail });
    frozen = `this looks like another manager (${detail}); nothing of it is taken until POST /api/accept-manager`;
    return 'other';
  };
  const judge = async (): Promise<Verdict> => {
    const found = await callTheRoll(
      options,
      known.rollCall(),
      known.clusterIds().slice(0, ROLL_CALL_CLUSTERS),
    );
    if (found.kind === 'nobody-knows') return 'nobody-knows';
    const contradictions = found.facts.flatMap((facts) => known.contradiction(facts) ?? []);
    const detail = found.noCluster
      ? 'its database does not know our clusters'
      : (contradictions[0] ?? known.judge(found.called, clock.nowMs()));
    if (detail !== undefined) return freeze(detail);
    if (frozen !== undefined) emit({ kind: 'world-known-again' });
    frozen = undefined;
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
    learn({ question, reply, askedAtMs }) {
      if (frozen === undefined) known.learn(factsOf(question, reply, options.decode), askedAtMs);
    },
    get frozen() {
      return frozen;
    },
    unsure() {
      sure = false;
      verdict = undefined;
    },
    cleared() {
      if (frozen !== undefined) return false;
      if (!sure && !known.isEmpty) {
        rollCall().catch((error: unknown) => emit({ kind: 'internal-error', where: 'the roll call', error }));
      }
      return sure || known.isEmpty;
    },
    accept() {
      if (frozen === undefined) return false;
      known.forget();
      options.forgetAll();
      frozen = undefined;
      verdict = undefined;
      sure = true;
      emit({ kind: 'world-accepted' });
      return true;
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

type RollCall =
  | { readonly kind: 'nobody-knows' }
  | {
      readonly kind: 'called';
      readonly called: readonly { readonly node: NodeRow; readonly found: boolean }[];
      readonly noCluster: boolean;
      /** What the rows say, all of them. */
      readonly facts: readonly Facts[];
    };

/** Asks for the rows themselves: a node that is inactive has one, a node of another world has none. */
async function callTheRoll(
  options: WorldOptions,
  nodes: readonly NodeRow[],
  clusterIds: readonly string[],
): Promise<RollCall> {
  const facts: Facts[] = [];
  const isThere = async (
    method: 'GetScheduler' | 'GetSeedPeer' | 'ListSchedulers',
    fields: object,
  ): Promise<boolean | undefined> => {
    const path = `/manager.v2.Manager/${method}`;
    try {
      const { reply } = await options.ask(path, options.encode(path, fields));
      if (options.classify(reply.status) !== undefined) return undefined;
      const shown = factsOf({ path, method }, reply, options.decode);
      facts.push(shown);
      return !shown.notFound;
    } catch (error) {
      if (error instanceof GatewayError) return undefined;
      throw error;
    }
  };
  const ip = freshIp(options.random);
  const asked = nodes.map(async (node) => ({ node, found: await isThere(...rowOf(node, ip)) }));
  // v2.5 says "record not found" of a cluster that it does not have; v2.1.55 does not look at the id.
  const clusters = await Promise.all(
    clusterIds.map((scheduler_cluster_id) =>
      isThere('ListSchedulers', { hostname: 'manager-gateway', ip, scheduler_cluster_id }),
    ),
  );
  const answered = await Promise.all(asked);
  const called = answered.flatMap(({ node, found }) => (found === undefined ? [] : [{ node, found }]));
  if (called.length < answered.length || clusters.includes(undefined)) return { kind: 'nobody-knows' };
  return { kind: 'called', called, noCluster: clusters.length > 0 && !clusters.includes(true), facts };
}

function rowOf({ kind, clusterId, hostname }: NodeRow, ip: string): ['GetScheduler' | 'GetSeedPeer', object] {
  return kind === 'scheduler'
    ? ['GetScheduler', { hostname, scheduler_cluster_id: clusterId, ip }]
    : ['GetSeedPeer', { source_type: 'SEED_PEER_SOURCE', hostname, seed_peer_cluster_id: clusterId, ip }];
}
