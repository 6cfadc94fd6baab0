import type { Machine, Results, Row } from './results.js';
import { type Summary, summaryOf } from './summary.js';
import { cell } from './table.js';
import { type Verdict, verdictsOf } from './verdicts.js';
import { HOW, INTRODUCTION, LEARNED, SCENARIOS } from './words.js';

/** Names and digits of the measures in the tables, in their order. */
const MEASURES: Readonly<Record<string, readonly [string, number]>> = {
  callsPerSecond: ['calls/s', 0],
  cpuSecondsPer10k: ['CPU s per 10,000', 2],
  p50Ms: ['p50 ms', 2],
  p99Ms: ['p99 ms', 2],
  kbPerConnection: ['KB per connection', 1],
  kbPerNode: ['KB per node', 1],
  clients: ['clients', 0],
  answeredShare: ['answered (share)', 3],
  recoveryMs: ['recovered after ms', 0],
  run: ['run', 0],
  failures: ['failures', 0],
  allAfterMs: ['all after ms', 0],
  callsPerSecondAtManager: ['calls/s at the manager', 2],
  callsAtManager: ['calls at the manager', 0],
  connectionsAtManager: ['connections at the manager', 0],
  newConnectionsAtManager: ['new connections at the manager', 0],
  cpuSeconds: ['CPU s', 2],
  cpuShare: ['CPU (share of a core)', 3],
  eventLoopP99Ms: ['event loop p99 ms', 1],
  ended: ['streams lost', 0],
  beats: ['beats', 0],
  calls: ['calls', 0],
  daemons: ['daemons', 0],
  megabytes: ['MB', 0],
  megabytesInTheMiddle: ['MB, 2nd quarter', 0],
  megabytesAtTheEnd: ['MB, 4th quarter', 0],
  entries: ['entries', 0],
};

/** Those with the ratio to Envoy. */
const COMPARED = new Set([
  'callsPerSecond',
  'cpuSecondsPer10k',
  'p50Ms',
  'p99Ms',
  'kbPerConnection',
  'kbPerNode',
]);

/** docs/benchmarks.md, from the raw results of a run. */
export function documentOf(results: Results): string {
  const { day, machine, versions, missing, note = '', rows } = results;
  const scenarios = [...new Set(rows.map(({ scenario }) => scenario))];
  return [
    '# Benchmarks',
    INTRODUCTION,
    `## The run\n\n${machineOf(machine, day)} ${note}`,
    table([['Measured', 'Version'], ...Object.entries(versions)]),
    ...(missing.length === 0
      ? []
      : [
          'Missing, or failed in a repetition:',
          table([['What', 'Why'], ...missing.map(({ name, reason }) => [name, reason])]),
        ]),
    HOW,
    '## Aims',
    table([['Aim', 'Measured (gateway and Envoy, ratio)', 'Reached'], ...verdictsOf(results).map(lineOf)]),
    ...scenarios.map((name) => section(name, rows)),
    LEARNED,
  ]
    .map((part) => part.trim())
    .join('\n\n')
    .concat('\n');
}

function machineOf({ cpu, cores, memoryGib, kernel, pinning }: Machine, day: string): string {
  const apart = pinning === '' ? 'nothing could be kept apart' : pinning;
  return `${day}, ${cpu}, ${cores} cores, ${memoryGib} GiB, ${kernel}; ${apart}.`;
}

function lineOf({ aim, measured, reached }: Verdict): readonly string[] {
  if (reached === undefined) return [aim, '', 'not measured in this run'];
  return [aim, measured, reached ? 'yes' : '**no**'];
}

function section(name: string, rows: readonly Row[]): string {
  const summaries = rows.filter(({ scenario }) => scenario === name).map(summaryOf);
  const measures = Object.entries(MEASURES).filter(([measure]) =>
    summaries.some(({ medians }) => medians[measure] !== undefined),
  );
  const base = summaries.find(({ target }) => target === 'envoy');
  const repetitions = Math.max(...summaries.map((summary) => summary.repetitions));
  const line = (summary: Summary): readonly string[] => [
    summary.target,
    ...measures.map(([measure, [, digits]]) =>
      cell(summary, COMPARED.has(measure) ? base : undefined, measure, digits),
    ),
  ];
  const words = SCENARIOS[name] === undefined ? '' : `${SCENARIOS[name]} `;
  return [
    `## ${name}`,
    `${words}Repetitions: ${repetitions}.`,
    table([['', ...measures.map(([, [heading]]) => heading)], ...summaries.map(line)]),
  ].join('\n\n');
}

function table([head = [], ...lines]: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n');
}
