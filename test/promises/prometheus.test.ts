import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { startPrometheus } from '../support/prometheus-process.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const HEALTH = '/grpc.health.v1.Health/Check';
const PREFIX = 'dragonfly_manager_gateway_';

let manager: SimulatedManager;
let running: RunningGateway;
let metrics: string;

beforeEach(async () => {
  manager = await startSimulatedManager();
  running = await startGateway({
    managers: [manager.address],
    sets: [
      'cache.methods.ListSchedulers.ttl=1s',
      'cache.methods.ListSchedulers.exactTtl=1s',
      'cache.methods.ListSchedulers.swr=0s',
      'cache.responseTimer=50ms',
    ],
  });
  metrics = `127.0.0.1:${running.bound.metrics?.port}`;
  await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'healthy');
});
afterEach(async () => {
  await running.gateway.stop();
  await manager.stop();
});

const scrape = async (): Promise<string> => (await fetch(`http://${metrics}/metrics`)).text();

/** As a daemon of the incident: connects, finds the manager healthy, asks, and closes again. */
async function churn(hostname: string): Promise<void> {
  const caller = await connectCaller(running.address);
  await caller.call(HEALTH, Buffer.alloc(0));
  const { code } = await caller.call(LIST, requestOf(LIST, { hostname, ip: '127.0.0.2' }));
  expect(code).toBe(0);
  await caller.close();
}

describe('the metrics', () => {
  it('are what promtool takes for good ones, before the first call and after', async () => {
    const check = (text: string) =>
      spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    const first = check(await scrape());
    expect([first.status, first.stderr]).toEqual([0, '']);
    await churn('a');
    const later = check(await scrape());
    expect([later.status, later.stderr]).toEqual([0, '']);
  });

  it('are all there from the start, under a name of their own, and with labels from closed sets', async () => {
    const seriesOf = (text: string): string[] =>
      text
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => line.slice(0, line.lastIndexOf(' ')));
    const before = new Set(seriesOf(await scrape()));
    for (const name of before) expect(name).toMatch(/^dragonfly_manager_gateway_/);
    for (let turn = 0; turn < 20; turn++) await churn(`node-${turn}`);
    await manager.stop();
    await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'failed');
    await churn('one-more');
    const after = seriesOf(await scrape());
    // What a manager said, and how a call ended, are codes of gRPC: too many to name all of them beforehand.
    const grown = after.filter(
      (name) => !before.has(name) && !/code="/.test(name) && !/nodejs_|_gc_/.test(name),
    );
    expect(grown).toEqual([]);
    expect(after.join('\n')).not.toMatch(/node-\d|127\.0\.0|one-more/);
  });

  it('show a Prometheus what the incident was: connections that churn, a manager that is away, answers all the same', async () => {
    const prometheus = await startPrometheus(metrics);
    try {
      await prometheus.scraped();
      const one = async (expression: string): Promise<number> =>
        [...(await prometheus.query(expression)).values()][0] ?? Number.NaN;
      for (let turn = 0; turn < 20; turn++) await churn(`node-${turn}`);
      await prometheus.scraped();
      expect(await one(`increase(${PREFIX}downstream_connections_opened_total[1h])`)).toBeGreaterThan(15);
      expect(await one(`sum(${PREFIX}upstream_channels_created_total)`)).toBe(2);
      expect(await one(`sum(rate(${PREFIX}manager_response_seconds_count[1h]))`)).toBeGreaterThan(0);

      await manager.stop();
      await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'failed');
      for (let turn = 0; turn < 20; turn++) await churn(`node-${turn}`);
      await prometheus.scraped();
      expect(await one(`sum(${PREFIX}manager_healthy)`)).toBe(0);
      expect(await one(`sum(${PREFIX}answers_total{answer="stale"})`)).toBeGreaterThan(0);
      const refused = `sum(${PREFIX}answers_total{answer="refused"}) or vector(0)`;
      expect(await one(refused)).toBe(0);
      const spared = `sum(increase(${PREFIX}answers_total{answer=~"hit|stale"}[1h])) / sum(increase(${PREFIX}answers_total{answer=~"hit|stale|miss"}[1h]))`;
      expect(await one(spared)).toBeGreaterThan(0.5);
      expect(
        await one(
          `histogram_quantile(0.99, sum by (le) (rate(${PREFIX}manager_response_seconds_bucket[1h])))`,
        ),
      ).toBeGreaterThan(0);
    } finally {
      await prometheus.stop();
    }
  });
});
