import { setTimeout as wait } from 'node:timers/promises';
import { type Random, seededRandom } from '../../../src/simulator/fleet/random.js';
import { allowanceFor, watchStandstill } from '../../support/standstill.js';
import { until } from '../../support/until.js';
import { type Callers, startCallers } from './crowd/callers.js';
import { Nodes, nodeNames } from './crowd/nodes.js';
import { questionOf } from './crowd/questions.js';
import type { Place } from './crowd/session.js';
import type { Fault, Scene } from './faults/fault.js';
import { FAULTS } from './faults/faults.js';
import { Judges } from './judges.js';
import { report } from './report.js';
import { createScript, type Mishap } from './script.js';
import { CALLERS, FAULTS_MS, RECOVERY_MS, WATCH_MS } from './settings.js';
import { keyOfNode } from './stage/managers.js';
import { machineMs } from './stage/monotonic.js';
import type { Replica } from './stage/replica.js';
import { type Stage, startStage } from './stage/stage.js';

export interface WalkOptions {
  readonly seed: number;
  readonly minutes: number;
  /** Where logs are left. */
  readonly logs: string;
  say(line: string): void;
}

const CALLERS_GAUGE = /^dragonfly_manager_gateway_downstream_connections(?:{.*})? (\d+)/m;
const START_LIMIT_MS = 60_000;
/** A manager that is back has its streams again. */
const REACHED_AGAIN_MS = 5_000;
const ROUND_MS = FAULTS_MS + RECOVERY_MS + WATCH_MS;

/** A walk through faults; resolves with the promises that were broken. */
export async function walk(options: WalkOptions): Promise<readonly string[]> {
  const judges = new Judges();
  const stage = await startStage({
    ...options,
    said: (said) => judges.said(said),
    changed: (change) => judges.nodes.changed(change),
    died: (name, code, stderr) => judges.died(name, code, stderr),
  });
  const one = new Walk(options, stage, judges);
  try {
    await one.begin();
    const untilMs = machineMs() + options.minutes * 60_000;
    while (machineMs() + ROUND_MS <= untilMs) await one.round();
  } finally {
    await one.stop();
    await stage.stop();
  }
  options.say(report(judges));
  return [...judges.told(), ...judges.unseen()];
}

class Walk {
  readonly #options: WalkOptions;
  readonly #stage: Stage;
  readonly #judges: Judges;
  readonly #script: ReturnType<typeof createScript>;
  readonly #nodes: Nodes;
  /** Not the one that decides what happens: how often it is asked depends on how fast things go. */
  readonly #landing: Random;
  #callers: Callers | undefined;
  #rounds = 0;
  /** What nodes say until then may be written down by nobody. */
  #lossUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: WalkOptions, stage: Stage, judges: Judges) {
    this.#options = options;
    this.#stage = stage;
    this.#judges = judges;
    this.#landing = seededRandom(options.seed + 1);
    this.#script = createScript(FAULTS, seededRandom(options.seed));
    this.#nodes = new Nodes(nodeNames(), {
      random: seededRandom(options.seed + 2),
      place: () => this.#place(stage.nodeLinks),
      began: (name, atMs) => judges.nodes.began(keyOfNode(name), atMs),
      ending: (name, atMs) => judges.nodes.ending(keyOfNode(name), atMs),
      ended: (name, atMs, how) => judges.nodes.ended(keyOfNode(name), atMs, how),
      registered: (node, registered) => judges.registered(keyOfNode(node.name), registered),
      deleted: (node, deletion) => judges.deleted(keyOfNode(node.name), deletion),
    });
  }

  async begin(): Promise<void> {
    await this.#nodes.startAll();
    const names = nodeNames();
    await until(
      'every node is active',
      async () => {
        const rows = await this.#stage.managers.rows();
        return rows.filter(({ state }) => state === 'active').length === names.length;
      },
      START_LIMIT_MS,
    );
    this.#callers = startCallers({
      questions: Array.from({ length: CALLERS }, (_, nth) => questionOf(nth, names)),
      random: seededRandom(this.#options.seed + 3),
      place: () => this.#place(this.#stage.callerLinks),
      lifeOf: (replica) => this.#stage.replicas[replica]?.life ?? 0,
      called: (call) => this.#judges.called(call),
    });
    await wait(RECOVERY_MS / 2);
  }

  async round(): Promise<void> {
    const mishaps = this.#script.nextRound();
    this.#options.say(`round ${++this.#rounds}: ${mishaps.map(told).join(', ')}`);
    await Promise.all([this.#nodes.bustle(FAULTS_MS), ...mishaps.map((one) => this.#happen(one))]);
    // A failover goes on when its cause has gone: old and new master are each somebody's.
    const isCalm = await this.#stage.redis.settled();
    if (!isCalm)
      this.#options.say('Redis has not come to rest: of this round only answers and writes are judged');
    const calmFromMs = machineMs();
    const standstill = watchStandstill();
    await this.#othersStillMs();
    await this.#nodes.restore();
    await wait(RECOVERY_MS - (machineMs() - calmFromMs));
    if (isCalm) this.#judges.calm(await this.#stage.managers.rows());
    await this.#nodes.endSome();
    await wait(WATCH_MS);
    this.#judges.calmIsOver();
    const allowanceMs = Math.max(standstill.allowanceMs, allowanceFor(await this.#othersStillMs()));
    standstill.stop();
    // First: all that was said is told when it has answered.
    const rows = await this.#stage.managers.rows();
    const toMs = machineMs();
    const round = { calmFromMs, toMs, lossUntilMs: this.#lossUntilMs, allowanceMs };
    this.#judges.settle(toMs, isCalm ? round : undefined, rows);
    await this.#weigh();
    for (const line of this.#judges.untold()) this.#options.say(line);
  }

  /** Since the last asking; other work on the machine holds up each process at its own time. */
  async #othersStillMs(): Promise<number> {
    const { managers, replicas } = this.#stage;
    return Math.max(...(await Promise.all([managers, ...replicas].map((one) => one.stillMs()))));
  }

  async stop(): Promise<void> {
    await this.#callers?.stop();
    await this.#nodes.stop();
    for (const replica of this.#stage.replicas) replica.abandon();
  }

  async #happen({ fault, beginMs, endMs, random }: Mishap): Promise<void> {
    await wait(beginMs);
    const end = await fault.begin(this.#scene(fault), random);
    await wait(endMs - beginMs);
    await end();
    if (fault.losesWrites === true)
      this.#lossUntilMs = Math.max(this.#lossUntilMs, machineMs() + REACHED_AGAIN_MS);
  }

  #scene({ name }: Fault): Scene {
    return {
      ...this.#stage,
      struck: (whom) => this.#options.say(`  ${name}: ${whom.join(', ')}`),
      livingNodes: () => this.#nodes.living,
      rowDeleted: (node) => {
        this.#judges.nodes.rowDeleted(keyOfNode(node), machineMs());
      },
    };
  }

  /** As a Service sends a connection to any of those that run. */
  #place(links: Stage['callerLinks']): Place {
    const running = this.#stage.replicas
      .map((replica, index) => ({ replica, index }))
      .filter(({ replica }) => replica.running);
    const all = this.#stage.replicas.map((replica, index) => ({ replica, index }));
    const from = running.length > 0 ? running : all;
    const { replica, index } = from[Math.floor(this.#landing() * from.length)] as {
      replica: Replica;
      index: number;
    };
    return { replica: index, life: replica.life, address: links[index]?.address ?? '' };
  }

  async #weigh(): Promise<void> {
    for (const [index, replica] of this.#stage.replicas.entries()) {
      this.#judges.despaired(replica.name, replica.collect());
      this.#judges.over(`${index}.${replica.life - 1}`);
      // One that has ended by itself has been told of.
      if (!replica.running) continue;
      const callers = Number(CALLERS_GAUGE.exec(await replica.metrics())?.[1]);
      this.#judges.weigh(`${replica.name}, process ${replica.life}`, replica.footprint(), callers);
    }
    const { managers, redis } = this.#stage;
    this.#judges.count('connections of a manager', Math.max(...(await managers.connections())), 20);
    this.#judges.count('connections of Redis', await redis.connections(), 60);
  }
}

function told({ fault, beginMs, endMs }: Mishap): string {
  return `${fault.name} (${(beginMs / 1_000).toFixed(1)}–${(endMs / 1_000).toFixed(1)} s)`;
}
