import type { SideFigures } from './figures.js';
import { formatCount, formatDuration, formatLatency, formatShare } from './format.js';

/** A row of the final table. `note`: why a figure is as it is, or what it does not mean. */
export type Row =
  | { readonly kind: 'heading'; readonly title: string }
  | {
      readonly kind: 'figure';
      readonly label: string;
      readonly direct: string;
      readonly gateway: string;
      readonly note?: string;
    };

type Show = (side: SideFigures) => string;

/** The table's content; durations of the fleet are shown in simulated time. */
export function tableRows(direct: SideFigures, gateway: SideFigures, timeFactor: number): readonly Row[] {
  const row = (label: string, show: Show, note?: string): Row => ({
    kind: 'figure',
    label,
    direct: show(direct),
    gateway: show(gateway),
    ...(note === undefined ? {} : { note }),
  });
  const duration = (ms: number): string => formatDuration(ms * timeFactor);
  return [
    ...knownRows(row, duration),
    ...coldRows(row, duration),
    ...managerRows(row),
    ...answerRows(row),
    ...shieldRows(row, duration),
  ];
}

type MakeRow = (label: string, show: Show, note?: string) => Row;
type Duration = (ms: number) => string;

function knownRows(row: MakeRow, duration: Duration): Row[] {
  return [
    { kind: 'heading', title: 'Callers that were there before the incident' },
    row('calls answered', ({ fleet }) => formatCount(fleet.calls.known.answered)),
    row('calls failed', ({ fleet }) => formatCount(fleet.calls.known.failed)),
    row('lists without a scheduler', ({ fleet }) => formatCount(fleet.calls.known.empty)),
    row('share answered', ({ fleet }) => formatShare(fleet.calls.known.answered, total(fleet.calls.known))),
    row('daemon exits', ({ fleet }) => formatCount(fleet.daemonExits.known)),
    row('longest a daemon knew no scheduler', ({ fleet }) =>
      duration(fleet.longestWithoutSchedulersMs.known),
    ),
    row('longest a scheduler had no configuration', ({ fleet }) =>
      duration(fleet.longestWithoutConfigurationMs),
    ),
  ];
}

function coldRows(row: MakeRow, duration: Duration): Row[] {
  return [
    { kind: 'heading', title: 'Nodes that joined during the outage, never seen before' },
    row(
      'calls answered',
      ({ fleet }) => `${formatCount(fleet.calls.cold.answered)} of ${formatCount(total(fleet.calls.cold))}`,
    ),
    row('daemon exits', ({ fleet }) => formatCount(fleet.daemonExits.cold)),
    row('longest a daemon knew no scheduler', ({ fleet }) => duration(fleet.longestWithoutSchedulersMs.cold)),
  ];
}

function managerRows(row: MakeRow): Row[] {
  return [
    { kind: 'heading', title: 'At the manager' },
    row('connections opened', ({ manager }) => formatCount(manager.connectionsTotal)),
    row(
      'connections at peak',
      ({ manager }) => formatCount(manager.connectionsPeak),
      'those being ended aside',
    ),
    row('calls', ({ manager }) => formatCount(manager.calls), 'probes included'),
  ];
}

function answerRows(row: MakeRow): Row[] {
  const kinds = (show: (gateway: NonNullable<SideFigures['gateway']>) => number): Show => {
    return ({ gateway }) => (gateway ? formatCount(show(gateway)) : '–');
  };
  return [
    { kind: 'heading', title: 'Answers' },
    row(
      'fresh from the cache',
      kinds(({ hit }) => hit),
    ),
    row(
      'last good one, marked stale',
      kinds(({ stale }) => stale),
    ),
    row(
      'from the manager',
      kinds(({ miss }) => miss),
    ),
    row('latency p50', ({ fleet }) => formatLatency(fleet.latencyP50Ms), 'as measured'),
    row('latency p99', ({ fleet }) => formatLatency(fleet.latencyP99Ms), 'as measured'),
  ];
}

function shieldRows(row: MakeRow, duration: Duration): Row[] {
  return [
    { kind: 'heading', title: 'KeepAlive of schedulers and seed peers' },
    row('streams broken', ({ fleet }) => formatCount(fleet.streamsBroken), 'as the nodes saw it'),
    row('nodes inactive, all together', ({ manager }) => duration(manager.inactiveMs)),
    row('longest a node was inactive', ({ manager }) => duration(manager.longestInactiveMs)),
  ];
}

function total({ answered, failed, empty }: { answered: number; failed: number; empty: number }): number {
  return answered + failed + empty;
}
