import { describe, expect, it } from 'vitest';
import type { GatewayEvent } from '../../src/observe/events.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { startScriptedManager } from '../../src/simulator/manager/scripted-manager.js';
import { startSimulatedManager } from '../../src/simulator/manager/simulated-manager.js';
import { connectCaller } from '../support/caller.js';
import { requestOf, responseOf } from '../support/data-path.js';
import { startGateway } from '../support/running-gateway.js';
import { LIST } from '../support/searcher-replies.js';
import { METRIC_SOURCES, metricsAfter, samplesIn, samplesOf } from '../support/told.js';

describe('a series that nothing has moved yet is there, as 0:', () => {
  it.each([
    [
      'answers_by_source_total',
      ['own', 'shared', 'sibling', 'elsewhere'].map((source) => `{source="${source}"}`),
    ],
    [
      'redis_stores_total',
      ['stored', 'asked-earlier', 'other-schema', 'too-large'].map((result) => `{result="${result}"}`),
    ],
  ])('%s', async (name, labels) => {
    expect(await samplesOf([], name)).toEqual(Object.fromEntries(labels.map((label) => [label, 0])));
  });
});

it('carries the name of the fleet on every series, and none where none is set', async () => {
  const named = await createMetrics({ ...METRIC_SOURCES, fleet: 'eu-1' }).render();
  const samples = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(samples(named.text).filter((line) => !line.includes('fleet="eu-1"'))).toEqual([]);
  expect(samples(await metricsAfter([])).filter((line) => line.includes('fleet='))).toEqual([]);
});

it('counts the answers beyond half of the age that an answer may have, whatever that is by now', async () => {
  let maxStaleMs = 60_000;
  const { subscriber, render } = createMetrics({ ...METRIC_SOURCES, maxStaleMs: () => maxStaleMs });
  const aged = (ageMs: number): void =>
    subscriber({ kind: 'answer-aged', method: 'm', ageMs, source: 'own' });
  for (const ageMs of [10_000, 30_000, 31_000]) aged(ageMs);
  maxStaleMs = 20_000;
  aged(10_001);
  expect(samplesIn((await render()).text, 'answers_near_max_stale_total')).toEqual({ '': 2 });
});

it('that callers share is no registration', async () => {
  const shared: GatewayEvent = { kind: 'sharing-changed', to: 'place', detail: '' };
  const counts = Object.values(await samplesOf([shared], 'registrations_total'));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(0);
  expect(counts.length).toBeGreaterThan(0);
});

it('counts whose answer each read was given: his own, one for all of his place, a sibling’s, or one of elsewhere', async () => {
  const manager = await startSimulatedManager();
  const own = await startGateway({ managers: [manager.address], sets: ['cache.sharing=exact'] });
  const shared = await startGateway({ managers: [manager.address] });
  const ask = async (
    { address }: { readonly address: string },
    hostname: string,
    idc = 'idc-1',
  ): Promise<void> => {
    const caller = await connectCaller(address);
    const place = { source_type: 'PEER_SOURCE', idc, location: 'eu' };
    const { code } = await caller.call(LIST, requestOf(LIST, { ...place, hostname, ip: '127.0.0.9' }));
    expect(code).toBe(0);
    await caller.close();
  };
  const counts = async ({ bound }: Awaited<ReturnType<typeof startGateway>>) => {
    const url = `http://127.0.0.1:${bound.metrics?.port}/metrics`;
    const samples = samplesIn(await (await fetch(url)).text(), 'answers_by_source_total');
    return ['own', 'shared', 'sibling', 'elsewhere'].map((source) => samples[`{source="${source}"}`]);
  };
  try {
    for (const hostname of ['a', 'b', 'b', 'c']) await ask(shared, hostname);
    expect(await counts(shared)).toEqual([1, 3, 0, 0]);
    for (const hostname of ['a', 'b', 'b', 'c']) await ask(own, hostname);
    await manager.stop();
    await ask(own, 'd');
    expect(await counts(own)).toEqual([4, 0, 1, 0]);
    await ask(shared, 'e', 'idc-2');
    expect(await counts(shared)).toEqual([1, 3, 0, 1]);
  } finally {
    await Promise.all([own.gateway.stop(), shared.gateway.stop()]);
    await manager.stop();
  }
});

it('counts what the guard holds back now', async () => {
  const scheduler = { hostname: 's', ip: '127.0.0.1', scheduler_cluster_id: 1 };
  const lists = [responseOf(LIST, { schedulers: [scheduler] }), responseOf(LIST, {})];
  const manager = await startScriptedManager({
    answer: ({ path }) => (path === LIST ? { messages: [lists.shift() ?? Buffer.alloc(0)] } : {}),
  });
  const sets = ['ttl', 'exactTtl', 'swr'].map((key) => `cache.methods.ListSchedulers.${key}=0s`);
  const { gateway, bound, address } = await startGateway({ managers: [manager.address], sets });
  const holding = async (): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${bound.metrics?.port}/metrics`)).text();
    return Object.values(samplesIn(text, 'guard_holding'))[0] ?? Number.NaN;
  };
  const caller = await connectCaller(address);
  try {
    const ask = () => caller.call(LIST, requestOf(LIST, { hostname: 'a', ip: '127.0.0.9' }));
    await ask();
    expect(await holding()).toBe(0);
    await ask();
    expect(await holding()).toBe(1);
  } finally {
    await caller.close();
    await gateway.stop();
    await manager.stop();
  }
});
