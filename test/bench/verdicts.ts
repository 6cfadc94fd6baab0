import type { Results } from './results.js';
import { type Summary, summaryOf } from './summary.js';

/** One of the aims, and what a run says of it. */
export interface Verdict {
  readonly aim: string;
  readonly measured: string;
  /** undefined: this run did not measure it. */
  readonly reached: boolean | undefined;
}

/** CPU seconds that the real manager v2.5.1 spent on 10,000 ListSchedulers, its database not counted. */
const MANAGER_CPU_SECONDS_PER_10K = 5.3;
const RESPONSE_TIMER_MS = 500;

type Of = (scenario: string, target: string, measure: string) => number | undefined;

/** The aims of the project for Node 24 and node:http2, each beside what was measured. */
export function verdictsOf({ rows }: Pick<Results, 'rows'>): readonly Verdict[] {
  const summaries = rows.map(summaryOf);
  const of: Of = (scenario, target, measure) =>
    summaries.find((one: Summary) => one.scenario === scenario && one.target === target)?.medians[measure];
  return [
    ...['hit-10x10', 'hit-200x1'].flatMap((scenario) => hits(of, scenario)),
    ...['pass-10x10', 'pass-200x1'].map((scenario) =>
      limit(
        `${scenario}: at least 2,500 calls/s on one core`,
        of(scenario, 'gateway', 'callsPerSecond'),
        (value) => value >= 2_500,
      ),
    ),
    ratio(of, 'churn', 'callsPerSecond', 'at least 0.8 of the cycles/s of Envoy', (value) => value >= 0.8),
    limit(
      'churn: no new connection at the manager',
      of('churn', 'gateway', 'newConnectionsAtManager'),
      (value) => value === 0,
    ),
    ...['idle-2000', 'idle-10000'].map((scenario) =>
      ratio(
        of,
        scenario,
        'kbPerConnection',
        'at most the memory of Envoy for each connection',
        (value) => value <= 1,
      ),
    ),
    ...['killed', 'frozen'].flatMap((kind) => outages(of, `outage-${kind}`)),
    limit('storm-2000: everybody runs', of('storm-2000', 'gateway', 'failures'), (value) => value === 0),
    ...grown(of),
  ];
}

function hits(of: Of, scenario: string): readonly Verdict[] {
  const cpu = of(scenario, 'gateway', 'cpuSecondsPer10k');
  return [
    ratio(of, scenario, 'callsPerSecond', 'at least 0.8 of the calls/s of Envoy', (value) => value >= 0.8),
    ratio(
      of,
      scenario,
      'p99Ms',
      'p99 at 3,000 calls/s at most 1.5 of that of Envoy',
      (value) => value <= 1.5,
    ),
    limit(
      `${scenario}: CPU seconds for 10,000 calls at most a fifth of the manager's ${MANAGER_CPU_SECONDS_PER_10K}`,
      cpu,
      (value) => value <= MANAGER_CPU_SECONDS_PER_10K / 5,
    ),
  ];
}

function outages(of: Of, scenario: string): readonly Verdict[] {
  return [
    limit(
      `${scenario}: everybody is answered (share)`,
      of(scenario, 'gateway', 'answeredShare'),
      (value) => value === 1,
    ),
    limit(
      `${scenario}: p99 at most the response timer + 50 ms (${RESPONSE_TIMER_MS + 50})`,
      of(scenario, 'gateway', 'p99Ms'),
      (value) => value <= RESPONSE_TIMER_MS + 50,
    ),
    limit(
      `${scenario}: recovered within 2,000 ms`,
      of(scenario, 'gateway', 'recoveryMs'),
      (value) => value <= 2_000,
    ),
  ];
}

/** Between 100 and 10,000 daemons. */
function grown(of: Of): readonly Verdict[] {
  const few = of('fleet-100', 'gateway', 'callsPerSecondAtManager');
  const many = of('fleet-10000', 'gateway', 'callsPerSecondAtManager');
  const connections = of('fleet-10000', 'gateway', 'connectionsAtManager');
  const aim = 'fleet growth: calls/s at the manager do not grow from 100 to 10,000 daemons';
  if (few === undefined || many === undefined) return [{ aim, measured: '', reached: undefined }];
  return [
    { aim, measured: `${text(few)} and ${text(many)}`, reached: many <= few + 1 },
    limit(
      'fleet growth: connections at the manager stay those of 100 daemons',
      connections,
      (value) => value <= (of('fleet-100', 'gateway', 'connectionsAtManager') ?? 0),
    ),
  ];
}

function limit(aim: string, value: number | undefined, holds: (value: number) => boolean): Verdict {
  if (value === undefined) return { aim, measured: '', reached: undefined };
  return { aim, measured: text(value), reached: holds(value) };
}

function ratio(
  of: Of,
  scenario: string,
  measure: string,
  aim: string,
  holds: (value: number) => boolean,
): Verdict {
  const own = of(scenario, 'gateway', measure);
  const envoys = of(scenario, 'envoy', measure);
  const whole = `${scenario}: ${aim}`;
  if (own === undefined || envoys === undefined) return { aim: whole, measured: '', reached: undefined };
  return {
    aim: whole,
    measured: `${text(own)} and ${text(envoys)}: ${text(own / envoys)}`,
    reached: holds(own / envoys),
  };
}

function text(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 3 });
}
