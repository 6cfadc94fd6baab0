import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/simulator/manager/random.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { requestOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { perform } from '../support/promises-alike.js';
import type { WireOutcome } from '../support/promises-wire.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';
import { samplesIn } from '../support/told.js';
import { until } from '../support/until.js';

const V2 = '/manager.v2.Manager';
const LIST = `${V2}/ListSchedulers`;
const UPDATE = `${V2}/UpdateScheduler`;

/** Of each of the fleets. */
const STEPS = 60;

type Request = readonly [path: string, fields: Readonly<Record<string, unknown>>];

let clock: ManualClock;
let manager: SimulatedManager;
let observing: RunningGateway;
let answering: RunningGateway;
let reads: number;

beforeEach(async () => {
  reads = 0;
  given.length = 0;
  clock = new ManualClock();
  manager = await startSimulatedManager();
  const start = (mode: string) =>
    startGateway({
      managers: [manager.address],
      // Pauses before a second attempt would only make the test longer.
      sets: [`mode=${mode}`, 'retry.maxAttempts=1'],
      clock,
    });
  [observing, answering] = await Promise.all([start('observe'), start('answer')]);
  for (const gateway of [observing, answering])
    await gateway.seen(({ kind }) => kind === 'address-state-changed');
});
afterEach(async () => {
  await Promise.all([observing.gateway.stop(), answering.gateway.stop()]);
  await manager.stop();
});

const metricsOf = async ({ bound }: RunningGateway): Promise<string> =>
  (await fetch(`http://127.0.0.1:${bound.metrics?.port}/metrics`)).text();

/** By method and answer; what could not be answered at all is a miss. */
async function counted(gateway: RunningGateway, metric: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [labels, count] of Object.entries(samplesIn(await metricsOf(gateway), metric))) {
    const [, method = ''] = /method="[^"]*\/((?:List|Get)[^"]*)"/.exec(labels) ?? [];
    const [, answer = ''] = /answer="([^"]*)"/.exec(labels) ?? [];
    const key = `${method} ${answer.replace('refused', 'miss')}`;
    if (method !== '' && count > 0) counts[key] = (counts[key] ?? 0) + count;
  }
  return counts;
}

/** Whose answers those were that no manager gave, of the observing gateway and of the answering one. */
const wouldGive = (): string[] =>
  observing.events
    .flatMap((event) =>
      event.kind === 'would-have-answered' && event.answer !== 'miss'
        ? [`${event.answer} ${event.source}`]
        : [],
    )
    .toSorted();
const given: string[] = [];

async function expectSameCounts(): Promise<Record<string, number>> {
  const sum = (counts: Record<string, number>): number =>
    Object.values(counts).reduce((all, count) => all + count, 0);
  await until('all reads are counted', async () => {
    const would = sum(await counted(observing, 'would_have_answered_total'));
    return would === reads && sum(await counted(answering, 'answers_total')) === reads;
  });
  const would = await counted(observing, 'would_have_answered_total');
  expect(would).toEqual(await counted(answering, 'answers_total'));
  expect(wouldGive()).toEqual(given.toSorted());
  const bySource = samplesIn(await metricsOf(observing), 'would_have_answered_by_source_total');
  expect(sum(bySource)).toBe(given.length);
  return would;
}

/** The same call to both gateways, and, if it is there, to the manager itself: what the caller who is observed hears, and who is not. */
async function everywhere([path, fields]: Request): Promise<{ observed: WireOutcome; direct?: WireOutcome }> {
  const send = [requestOf(path, fields)];
  const scenario = { name: path, path, send, script: { answer: () => ({}) } };
  if (path !== UPDATE) reads++;
  const addresses = [observing.address, answering.address, ...(manager.running ? [manager.address] : [])];
  const asked = addresses.map((address) => perform({ address, certificates: undefined }, scenario));
  let over = false;
  const all = Promise.all(asked).finally(() => {
    over = true;
  });
  // Whoever waits for a connection, or for the response timer, waits for the clock.
  while (!over && !manager.running) await clock.advanceAsync(50);
  const [observed, answered, direct] = await all;
  const { 'x-dfmgw-cache': source, 'x-dfmgw-via': via = 'own' } = answered?.trailers ?? {};
  if (source !== undefined && source !== 'miss') given.push(`${source} ${via}`);
  // What is asked behind has come back.
  await until('nothing is asked any more', async () => {
    const [flights] = Object.values(samplesIn(await metricsOf(answering), 'flights'));
    return flights === 0;
  });
  return { observed: observed as WireOutcome, ...(direct && { direct }) };
}

const REQUESTS: readonly Request[] = [
  [LIST, { hostname: 'a', ip: '127.0.0.2', idc: 'idc-1' }],
  [LIST, { hostname: 'b', ip: '127.0.0.3', idc: 'idc-1' }],
  [LIST, { hostname: 'c', ip: '127.0.0.4', idc: 'idc-2' }],
  [LIST, { hostname: 'a', ip: '127.0.0.2', scheduler_cluster_id: '1' }],
  ['/manager.Manager/ListSchedulers', { hostname: 'a', ip: '127.0.0.2', host_info: { idc: 'idc-1' } }],
  [`${V2}/GetScheduler`, { hostname: 'sched-a', ip: '10.1.0.1', scheduler_cluster_id: '1' }],
  [`${V2}/GetScheduler`, { hostname: 'nobody', ip: '127.0.0.5', scheduler_cluster_id: '1' }],
  [`${V2}/GetSeedPeer`, { hostname: 'seed-a', ip: '10.1.0.9', seed_peer_cluster_id: '1' }],
  [`${V2}/ListSeedPeers`, { hostname: 'a', ip: '127.0.0.2' }],
  [`${V2}/ListApplications`, { hostname: 'a', ip: '127.0.0.2' }],
  ['/manager.Manager/ListBuckets', { hostname: 'a', ip: '127.0.0.2' }],
  [UPDATE, { hostname: 'sched-a', ip: '10.1.0.1', port: 8002, scheduler_cluster_id: '1' }],
];

describe('in front of a fleet, observe', () => {
  it.each([1, 2, 3])('changes no answer, and counts what answer answers: random fleet %i', async (seed) => {
    const random = seededRandom(seed);
    for (let step = 0; step < STEPS; step++) {
      const request = REQUESTS[Math.floor(random() * REQUESTS.length)] as Request;
      const { direct, observed } = await everywhere(request);
      expect(observed).toEqual(direct);
      // Most come within a TTL of one another, some after it, some after all that is given while it is refreshed.
      if (random() < 0.5)
        await clock.advanceAsync(1_000 * Math.floor(random() * (random() < 0.7 ? 15 : 100)));
      if (random() < 0.05) manager.setFault({ kind: 'empty-lists' });
      if (random() < 0.1) manager.clearFaults();
    }
    const counts = await expectSameCounts();
    for (const answer of ['hit', 'stale', 'miss'])
      expect(counts[`ListSchedulers ${answer}`]).toBeGreaterThan(0);
  });

  it('changes no answer of an outage either, and counts that answer would have had one', async () => {
    const known = REQUESTS.filter(([path]) => path !== UPDATE);
    for (const request of known) await everywhere(request);
    await clock.advanceAsync(200_000);
    await manager.stop();
    const newcomers: Request[] = [
      [LIST, { hostname: 'd', ip: '127.0.0.6', idc: 'idc-1' }],
      [LIST, { hostname: 'e', ip: '127.0.0.7', idc: 'idc-3' }],
      [`${V2}/GetScheduler`, { hostname: 'never-seen', ip: '127.0.0.8', scheduler_cluster_id: '1' }],
    ];
    for (const request of [...known, ...newcomers]) {
      const { observed } = await everywhere(request);
      expect(observed.code).toBe('14');
    }
    const counts = await expectSameCounts();
    expect(counts).toMatchObject({ 'ListSchedulers stale': 7, 'GetScheduler stale': 2 });
    expect(given).toEqual(expect.arrayContaining(['stale own', 'stale shared', 'stale elsewhere']));
  });
});
