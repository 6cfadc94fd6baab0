import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { NodeEvent } from '../../src/observe/events.js';
import { createNodeMetrics, type MeasuredNode } from '../../src/observe/node-metrics.js';

const PREFIX = 'dragonfly_manager_gateway_';

/** Samples by name and labels as they are written, buckets aside. */
async function samples(
  events: readonly NodeEvent[],
  nodes: readonly MeasuredNode[] = [],
): Promise<Map<string, number>> {
  const registry = new Registry();
  const subscriber = createNodeMetrics(registry, () => nodes);
  for (const event of events) subscriber(event);
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith(PREFIX));
  return new Map(
    lines
      .filter((line) => !line.includes('_bucket{'))
      .map((line) => {
        const at = line.lastIndexOf(' ');
        return [line.slice(PREFIX.length, at), Number(line.slice(at + 1))];
      }),
  );
}

const moved = (all: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...all].filter(([, value]) => value !== 0));

const EVENTS: readonly NodeEvent[] = [
  { kind: 'node-opened', node: 'scheduler', manager: '0' },
  { kind: 'node-reopened', node: 'seed-peer', manager: '0', reason: 'link-broken', gapMs: 1_500, detail: '' },
  { kind: 'node-ended', node: 'scheduler', reason: 'silent', detail: '' },
  { kind: 'node-unshielded' },
  { kind: 'openings-lowered', perSecond: 500 },
  { kind: 'node-looked-at', node: 'scheduler', says: 'unknown' },
  { kind: 'node-disputed', node: 'seed-peer', says: 'gone' },
  { kind: 'node-settled', node: 'seed-peer', disputedMs: 500 },
  { kind: 'node-registered-again', node: 'seed-peer', outcome: 'applied' },
];

describe('the series of nodes', () => {
  it('are all there, as 0, before anything has happened: no event makes a new one', async () => {
    const before = await samples([]);
    expect([...new Set(before.values())]).toEqual([0]);
    expect([...(await samples(EVENTS)).keys()]).toEqual([...before.keys()]);
  });

  it('are moved each by its own event', async () => {
    expect(moved(await samples(EVENTS))).toEqual({
      'node_streams_opened_total{type="scheduler"}': 1,
      'node_streams_reopened_total{type="seed-peer",reason="link-broken"}': 1,
      'node_stream_gap_seconds_sum{reason="link-broken"}': 1.5,
      'node_stream_gap_seconds_count{reason="link-broken"}': 1,
      'node_streams_ended_total{type="scheduler",reason="silent"}': 1,
      node_streams_unshielded_total: 1,
      node_openings_lowered_total: 1,
      'node_looks_total{type="scheduler",says="unknown"}': 1,
      'node_disputes_total{type="seed-peer",says="gone"}': 1,
      'node_inactive_seconds_sum{type="seed-peer"}': 0.5,
      'node_inactive_seconds_count{type="seed-peer"}': 1,
      'nodes_registered_again_total{type="seed-peer",outcome="applied"}': 1,
    });
  });

  it('count nodes by type and state at the moment of the scrape', async () => {
    const nodes: MeasuredNode[] = [
      { type: 'scheduler', state: 'open', alive: true, disputed: false, port: 'open' as const },
      { type: 'scheduler', state: 'open', alive: true, disputed: true, port: 'refused' as const },
      { type: 'seed-peer', state: 'dormant', alive: false, disputed: false, port: 'refused' as const },
    ];
    expect(moved(await samples([], nodes))).toEqual({
      'nodes{type="scheduler",state="open"}': 2,
      'nodes{type="seed-peer",state="dormant"}': 1,
      'nodes_alive{type="scheduler"}': 2,
      'nodes_disputed{type="scheduler"}': 1,
      'node_ports{type="scheduler",says="open"}': 1,
      'node_ports{type="scheduler",says="refused"}': 1,
    });
  });
});
