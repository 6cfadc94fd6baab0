import type { Call } from './crowd/callers.js';
import type { Registered } from './crowd/node.js';
import { versionIn } from './crowd/node.js';
import { createClasses, hashOf, listedIn, SEARCHER } from './crowd/question-class.js';
import { AnswersJudge } from './judge/answers.js';
import { BeatsJudge } from './judge/beats.js';
import { FootprintJudge } from './judge/footprint.js';
import type { NodeRound } from './judge/node-terms.js';
import { NodesJudge } from './judge/nodes.js';
import { OrderJudge } from './judge/order.js';
import { Verdicts } from './judge/verdicts.js';
import type { Violation } from './judge/violation.js';
import { type Acknowledged, WritesJudge } from './judge/writes.js';
import {
  BEAT_MS,
  CALL_DEADLINE_MS,
  EMPTY_HOLD_MS,
  GRACE_MS,
  LEASE_MS,
  MAX_STALE_MS,
  RECOVERY_MS,
} from './settings.js';
import type { Row, Said } from './stage/managers.js';
import { machineMs } from './stage/monotonic.js';

/** Snapshots read the machine's uptime in hundredths of a second. */
const TOLERANCE_MS = 30;
const SLACK_MS = 1_500;
const REMEMBERED_LISTS = 5_000;
/** All others are answers, too: the manager's own words. */
const NO_ANSWER = new Set([-1, 1, 4, 8, 14]);

type Listed = ReturnType<typeof listedIn>;

/** All that is judged, and what is seen of it. */
export class Judges {
  readonly answers = new AnswersJudge({ maxStaleMs: MAX_STALE_MS, toleranceMs: TOLERANCE_MS });
  readonly order = new OrderJudge({ emptyHoldMs: EMPTY_HOLD_MS, toleranceMs: TOLERANCE_MS });
  readonly writes = new WritesJudge();
  readonly nodes = new NodesJudge({
    recoveryMs: RECOVERY_MS,
    blinkMs: 200,
    endMs: {
      cancel: SLACK_MS,
      'half-close': SLACK_MS,
      deleted: SLACK_MS,
      killed: GRACE_MS + SLACK_MS,
      hung: 4 * BEAT_MS + 2 * SLACK_MS,
    },
    deletedRowMs: 45_000,
    otherManagerMs: 75_000,
    backAfterMs: 15_000,
    arrivedMs: 2 * SLACK_MS,
    adoptedMs: GRACE_MS + LEASE_MS + 2 * SLACK_MS,
  });
  readonly beats = new BeatsJudge(5 * BEAT_MS);
  readonly footprint = new FootprintJudge({
    descriptors: 90,
    descriptorGrowth: 12,
    residentMib: 400,
    growth: 1.15,
    growthMib: 30,
    samples: 8,
  });
  /** How many there were, and of which of them nothing could be said of nodes. */
  rounds = 0;
  restless = 0;
  /** What each round was allowed for the machine's standstills, ms. */
  readonly allowancesMs: number[] = [];
  readonly codes = new Map<number, number>();
  readonly sources = new Map<string, number>();
  readonly #classOf = createClasses();
  readonly #lists = new Map<string, Listed>();
  readonly #verdicts = new Verdicts();
  #calmSinceMs: number | undefined;
  /** Of this round, while all was well. */
  #unanswered: Violation[] = [];

  said({ path, request, code, message, hash, answer, fromMs, toMs }: Said): void {
    if (/\/(Update|Delete)/.test(path)) {
      this.writes.received({ path, hash: hashOf(request), code, fromMs, toMs });
      return;
    }
    if (!/\/(List|Get)/.test(path)) return;
    if (answer !== undefined) this.#remember(path, hash, answer);
    const once = { group: this.#classOf(path, request), fromMs, toMs };
    if (code === 0) this.answers.said({ ...once, hash, set: this.#lists.get(hash)?.set });
    else this.answers.said({ ...once, hash: statusOf(code, message), set: undefined });
  }

  called({ asked: { path, request }, replica, life, calledAtMs, gotAtMs, outcome }: Call): void {
    const { code, answer, trailers, message } = outcome;
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    if (this.#calmSinceMs !== undefined && calledAtMs > this.#calmSinceMs && NO_ANSWER.has(code)) {
      const text = `replica-${replica}, ${path}: ${code} ${message} after ${Math.round(gotAtMs - calledAtMs)} ms`;
      this.#unanswered.push({ rule: 'everybody is answered while all is well', atMs: gotAtMs, text });
    }
    if (NO_ANSWER.has(code)) return;
    const source = `${trailers['x-dfmgw-cache']} ${trailers['x-dfmgw-via'] ?? ''}`.trim();
    const ageMs = Number(trailers['x-dfmgw-age-ms'] ?? 0);
    const times = { group: this.#classOf(path, request), calledAtMs, gotAtMs, ageMs };
    if (code !== 0) {
      const hash = statusOf(code, decodeURIComponent(message));
      this.answers.given({ ...times, hash, set: undefined, elsewhere: false });
      return;
    }
    this.sources.set(source, (this.sources.get(source) ?? 0) + 1);
    const listed = listedIn(path, answer);
    const elsewhere = trailers['x-dfmgw-via'] === 'elsewhere' && times.group.startsWith(SEARCHER);
    this.answers.given({ ...times, hash: hashOf(answer), set: listed?.set, elsewhere });
    if (life === undefined || elsewhere) return;
    const process = `${replica}.${life}`;
    this.#verdicts.add(this.order.seen({ ...times, process, empty: listed?.count === 0, source }));
  }

  registered(key: string, registered: Registered): void {
    const { code } = registered.outcome;
    if (code === 0) this.nodes.registered(key, registered.gotAtMs);
    this.writes.tried({ ...acknowledged(key, registered), code });
  }

  deleted(key: string, deletion: Registered): void {
    if (deletion.outcome.code === 0) this.writes.deleted(acknowledged(key, deletion));
  }

  died(name: string, code: number | string, stderr: string): void {
    this.#violate('no process ends by itself', `${name} ended with ${code}: ${stderr.slice(-2_000)}`);
  }

  /** What a process says there is nobody's plan. */
  despaired(name: string, stderr: string): void {
    if (stderr !== '') this.#violate('no process despairs', `${name}: ${stderr.slice(-2_000)}`);
  }

  /** All is well from now on, which looks like this. */
  calm(rows: readonly Row[]): void {
    this.#calmSinceMs = machineMs();
    this.beats.listen(rows, this.#calmSinceMs);
  }

  /** Nothing is said of whether all is well. */
  calmIsOver(): void {
    this.#calmSinceMs = undefined;
  }

  /** `round`: undefined if the parts have not come to rest, and nothing can be said of nodes. */
  settle(toMs: number, round: NodeRound | undefined, rows: readonly Row[]): void {
    this.rounds += 1;
    // Where the machine stood still nobody was answered by it.
    if ((round?.allowanceMs ?? 0) < CALL_DEADLINE_MS) this.#verdicts.add(this.#unanswered);
    this.#unanswered = [];
    this.#verdicts.add([...this.answers.settle(toMs), ...this.writes.settle(toMs)]);
    if (round === undefined) {
      this.restless += 1;
      return;
    }
    this.allowancesMs.push(round.allowanceMs);
    const versions = new Map(rows.map(({ key, location }) => [key, versionIn(location)]));
    const settled = this.nodes.settled(round);
    this.#verdicts.add([
      ...this.writes.settleRows(versions, settled, toMs),
      ...this.beats.settle(rows, settled, round),
      ...this.nodes.settle(round),
    ]);
  }

  weigh(
    name: string,
    { descriptors, residentMib }: { descriptors: number; residentMib: number },
    callers: number,
  ): void {
    const sample = { name, atMs: machineMs(), descriptors: descriptors - callers, residentMib };
    this.#verdicts.add(this.footprint.sample(sample));
  }

  count(name: string, count: number, most: number): void {
    this.#verdicts.add(this.footprint.count(name, count, most, machineMs()));
  }

  /** A process that is no more. */
  over(process: string): void {
    this.order.forget(process);
  }

  /** What was found since the last asking. */
  untold(): readonly string[] {
    return this.#verdicts.untold();
  }

  told(): readonly string[] {
    return this.#verdicts.all();
  }

  /** Of what nothing was seen: a walk in which nobody walked is none. */
  unseen(): string[] {
    const seen = {
      answers: this.answers.judged,
      registrations: this.writes.direct,
      ends: this.nodes.counts.ends,
      beats: this.beats.judged,
    };
    return Object.entries(seen).flatMap(([name, count]) =>
      count > 0 ? [] : [`nothing was seen of ${name}`],
    );
  }

  #violate(rule: string, text: string): void {
    this.#verdicts.add([{ rule, atMs: machineMs(), text }]);
  }

  #remember(path: string, hash: string, answer: Buffer): void {
    if (this.#lists.size >= REMEMBERED_LISTS) this.#lists.clear();
    this.#lists.set(hash, listedIn(path, answer));
  }
}

function acknowledged(
  key: string,
  { path, request, version, calledAtMs, gotAtMs, outcome }: Registered,
): Acknowledged {
  const journaled = outcome.trailers['x-dfmgw-write'] === 'journaled';
  return { key, version, path, hash: hashOf(request), journaled, calledAtMs, gotAtMs };
}

function statusOf(code: number, message: string): string {
  return `status ${code} "${message}"`;
}
