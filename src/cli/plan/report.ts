import { formatCount, wrap } from '../demo/format.js';
import type { Paint } from '../demo/paint.js';
import type { Load } from './load.js';
import { type Costs, MEASURED_ON } from './measured-costs.js';
import type { Plan } from './plan.js';

const WIDTH = 100;
const LABEL_WIDTH = 50;
const COLUMN_WIDTH = 17;
const KIB = 1024;
const MIB = KIB * KIB;

/** For people. */
export function asText(plan: Plan, costs: Costs, paint: Paint): string {
  const { size } = plan;
  const heading = (text: string): string => paint('bold', text);
  return [
    heading(`${size.replicas} ${size.replicas === 1 ? 'gateway' : 'gateways'}`),
    ...wrap(reasonOf(plan), WIDTH),
    '',
    heading(columns('At the managers, all together', 'without', 'with')),
    ...loadRows(plan.without, plan.with),
    '',
    heading(
      size.spare === 0
        ? 'Each gateway'
        : `Each gateway, while ${size.spare} of them ${size.spare === 1 ? 'is' : 'are'} away`,
    ),
    ...eachRows(plan),
    ...list(
      'To look at',
      plan.warnings.map((text) => paint('yellow', text)),
    ),
    ...list('Taken for granted', assumptionsOf(plan)),
    ...list(
      `Measured (${MEASURED_ON})`,
      Object.values(costs).map(
        ({ value, unit, what, source }) => `${amount(value, unit)}: ${what} (${source})`,
      ),
    ),
    '',
  ].join('\n');
}

export function asJson(plan: Plan, costs: Costs): string {
  const { warnings, ...rest } = plan;
  const measured = { on: MEASURED_ON, costs };
  return `${JSON.stringify({ ...rest, warnings, assumptions: assumptionsOf(plan), measured })}\n`;
}

function reasonOf({ size }: Plan): string {
  const { forConnections, forCpu, spare } = size;
  const need = (count: number): string => (count === 1 ? '1 is needed' : `${count} are needed`);
  const more = spare === 0 ? 'none may be away' : `${spare} more, so that as many may be away`;
  return `${need(forConnections)} for connections, ${need(forCpu)} for CPU; ${more}`;
}

function loadRows(without: Load, gatewayed: Load): string[] {
  const rows: [string, keyof Load][] = [
    ['connections', 'connections'],
    ['calls a second', 'calls'],
    ['calls a second, while everybody starts', 'callsAtStart'],
    ['calls a second tried, while the managers fail', 'callsWhileFailing'],
    ['KeepAlive streams', 'streams'],
    ['beats a second', 'beats'],
  ];
  return rows.map(([label, key]) => columns(`  ${label}`, figure(without[key]), figure(gatewayed[key])));
}

function eachRows({ size: { each } }: Plan): string[] {
  const rows: [string, string][] = [
    ['connections', formatCount(each.connections)],
    ['nodes with a KeepAlive stream', formatCount(each.nodes)],
    ['answers remembered', `${formatCount(each.answers)}, ${mib(each.answerBytes)}`],
    ['memory', `${mib(each.memoryBytes)}; limit ${mib(each.memoryLimitBytes)}`],
    ['CPU, cores', cores(each.cpu)],
    ['CPU, while everybody starts', cores(each.cpuAtStart)],
  ];
  return rows.map(([label, value]) => `  ${label}`.padEnd(LABEL_WIDTH) + value);
}

/** What is not known of this fleet, and was decided by an option or by nobody. */
function assumptionsOf({ fleet }: Plan): readonly string[] {
  const { lists, places, pollMs, startWithinMs, managers } = fleet;
  const shared = `lists are shared, by callers of ${places} ${places === 1 ? 'pair' : 'pairs'} of idc and location (--places, --lists)`;
  return [
    lists === 'own' ? 'each caller has a list of its own (--lists own)' : shared,
    `a Rust daemon asks every ${pollMs / 1_000} s (--poll) over one connection; at its start it opens two, and makes 4 calls`,
    `everybody starts within ${startWithinMs / 1_000} s (--start-within)`,
    `${managers} ${managers === 1 ? 'process' : 'processes'} of the manager (--managers)`,
    'a gateway uses 80 % of server.maxConnections and half of one core at the most; connections are spread evenly',
    'gateways share their answers through Redis where there are several',
  ];
}

function list(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return ['', `${title}:`, ...lines.flatMap((line) => item(line))];
}

function item(text: string): string[] {
  const [first = '', ...rest] = wrap(text, WIDTH - 4);
  return [`  - ${first}`, ...rest.map((line) => `    ${line}`)];
}

function columns(label: string, without: string, gatewayed: string): string {
  return label.padEnd(LABEL_WIDTH) + without.padStart(COLUMN_WIDTH) + gatewayed.padStart(COLUMN_WIDTH);
}

function figure(value: number): string {
  return value < 100 && !Number.isInteger(value) ? value.toFixed(value < 1 ? 2 : 1) : formatCount(value);
}

function cores(value: number): string {
  return value < 0.01 ? 'below 0.01' : value.toFixed(2);
}

function mib(bytes: number): string {
  return `${formatCount(Math.ceil(bytes / MIB))} MiB`;
}

function amount(value: number, unit: 'bytes' | 'µs of CPU'): string {
  if (unit === 'µs of CPU') return `${formatCount(value)} ${unit}`;
  if (value >= MIB) return mib(value);
  return value >= KIB ? `${(value / KIB).toFixed(0)} KiB` : `${value} bytes`;
}
