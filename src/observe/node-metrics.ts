import { Gauge, type Registry } from 'prom-client';
import type { PortSays } from '../keepalive/ports.js';
import type { NodeEndReason, NodeEvent, NodeKind, NodeSays, ReopenReason } from './events.js';
import type { Of } from './log-line.js';
import { METRIC_PREFIX } from './metric-prefix.js';
import { membersOf, type SeriesMaker, seriesMaker } from './series.js';

/** What is read of one node at the moment of a scrape. */
export interface MeasuredNode {
  readonly type: NodeKind;
  /** Where its stream at the manager stands: see `keepalive/node-view.ts`. */
  readonly state: (typeof STATES)[number];
  readonly alive: boolean;
  /** The manager was last seen to say otherwise. */
  readonly disputed: boolean;
  /** What its port was last seen to say; undefined: it was not looked at. */
  readonly port: PortSays | undefined;
}

const TYPES = membersOf<NodeKind>({ scheduler: 0, 'seed-peer': 0 });
const STATES = ['waiting', 'open', 'replacing', 'ending', 'dormant', 'elsewhere'] as const;
const PORTS = membersOf<PortSays>({ open: 0, refused: 0, unreachable: 0 });
const SAYS = membersOf<NodeSays>({ active: 0, inactive: 0, gone: 0, unknown: 0 });
const DISPUTES = membersOf<Of<'node-disputed'>['says']>({ inactive: 0, gone: 0 });
const REGISTERED = membersOf<Of<'node-registered-again'>['outcome']>({
  applied: 0,
  'there-already': 0,
  refused: 0,
  later: 0,
});
const REOPENED = membersOf<ReopenReason>({
  'link-broken': 0,
  leaving: 0,
  mute: 0,
  'manager-error': 0,
  registered: 0,
  inactive: 0,
  reassert: 0,
  'taken-over': 0,
  awake: 0,
});
const ENDED = membersOf<NodeEndReason>({
  left: 0,
  lost: 0,
  silent: 0,
  answered: 0,
  yielded: 0,
  forgotten: 0,
  stopping: 0,
});

/** Seconds: from a stream replaced politely, 2 ms, to a manager that is away for long. */
const GAP_BUCKETS = [0.005, 0.025, 0.1, 0.5, 1.5, 5, 15, 60, 300, 1_800, 7_200];
/** Seconds: from the second look behind an opening to what only the caches of the manager hide. */
const INACTIVE_BUCKETS = [0.1, 0.25, 0.5, 1, 1.5, 2.5, 5, 15, 60, 300, 600];

/** The series of nodes and their streams, and which event moves which. */
export function createNodeMetrics(
  registry: Registry,
  nodes: () => readonly MeasuredNode[],
): (event: NodeEvent) => void {
  registerGauges(registry, nodes);
  const series = makeSeries(seriesMaker(registry));
  return (event) => {
    switch (event.kind) {
      case 'node-opened':
        return series.opened.inc({ type: event.node });
      case 'node-reopened':
        series.gap.observe({ reason: event.reason }, event.gapMs / 1000);
        return series.reopened.inc({ type: event.node, reason: event.reason });
      case 'node-ended':
        return series.ended.inc({ type: event.node, reason: event.reason });
      case 'node-unshielded':
        return series.unshielded.inc();
      case 'openings-lowered':
        return series.lowered.inc();
      case 'node-looked-at':
        return series.looks.inc({ type: event.node, says: event.says });
      case 'node-disputed':
        return series.disputes.inc({ type: event.node, says: event.says });
      case 'node-settled':
        return series.inactive.observe({ type: event.node }, event.disputedMs / 1000);
      case 'node-registered-again':
        return series.registered.inc({ type: event.node, outcome: event.outcome });
      default:
        return event satisfies never;
    }
  };
}

function makeSeries({ counter, histogram }: SeriesMaker) {
  const type = TYPES;
  return {
    opened: counter('node_streams_opened_total', 'First streams of nodes opened at the manager.', { type }),
    reopened: counter(
      'node_streams_reopened_total',
      'Streams of nodes opened at the manager again, by why.',
      { type, reason: REOPENED },
    ),
    gap: histogram(
      'node_stream_gap_seconds',
      'How long a node had no stream at the manager before it was opened again.',
      { reason: REOPENED },
      GAP_BUCKETS,
    ),
    ended: counter('node_streams_ended_total', 'Streams of nodes at the manager that were ended, by why.', {
      type,
      reason: ENDED,
    }),
    unshielded: counter(
      'node_streams_unshielded_total',
      'Streams forwarded because there are too many nodes.',
    ),
    lowered: counter('node_openings_lowered_total', 'Times the manager asked for fewer openings of streams.'),
    looks: counter('node_looks_total', 'Looks at what the manager says of a live node, by what it says.', {
      type,
      says: SAYS,
    }),
    disputes: counter(
      'node_disputes_total',
      'Times the manager began to say inactive, or gone, of a node that is alive here.',
      { type, says: DISPUTES },
    ),
    registered: counter(
      'nodes_registered_again_total',
      'Registrations of live nodes that the manager did not know, sent again.',
      { type, outcome: REGISTERED },
    ),
    inactive: histogram(
      'node_inactive_seconds',
      'From the first look that found a live node not active at the manager to the first that found it active again.',
      { type },
      INACTIVE_BUCKETS,
    ),
  };
}

function registerGauges(registry: Registry, nodes: () => readonly MeasuredNode[]): void {
  new Gauge({
    name: `${METRIC_PREFIX}nodes`,
    help: 'Nodes known here, by where their stream at the manager stands.',
    labelNames: ['type', 'state'],
    registers: [registry],
    collect() {
      for (const type of TYPES) for (const state of STATES) this.set({ type, state }, 0);
      for (const { type, state } of nodes()) this.inc({ type, state });
    },
  });
  new Gauge({
    name: `${METRIC_PREFIX}node_ports`,
    help: 'Live nodes by what their port was last seen to say; none without keepAlive.portCheck.',
    labelNames: ['type', 'says'],
    registers: [registry],
    collect() {
      for (const type of TYPES) for (const says of PORTS) this.set({ type, says }, 0);
      for (const { type, alive, port: says } of nodes())
        if (alive && says !== undefined) this.inc({ type, says });
    },
  });
  const perType = (name: string, help: string, is: (node: MeasuredNode) => boolean): void => {
    new Gauge({
      name: METRIC_PREFIX + name,
      help,
      labelNames: ['type'],
      registers: [registry],
      collect() {
        for (const type of TYPES) this.set({ type }, 0);
        for (const node of nodes()) if (is(node)) this.inc({ type: node.type });
      },
    });
  };
  perType('nodes_alive', 'Nodes whose streams are alive here.', ({ alive }) => alive);
  perType(
    'nodes_disputed',
    'Live nodes that the manager was last seen not to call active.',
    ({ disputed }) => disputed,
  );
}
