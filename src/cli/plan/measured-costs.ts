/** What one gateway was measured to cost; every figure of `plan` comes from here. Its source is named in the output and in docs/capacity.md. */
export type MeasuredCost = {
  readonly value: number;
  readonly unit: 'bytes' | 'µs of CPU';
  readonly what: string;
  /** Where it can be measured again. */
  readonly source: string;
};

export const MEASURED_ON =
  '23 November 2026, Node 20, one process of the gateway, two cores shared with its callers';

const footprint = 'test/hard/keep-alive/footprint.test.ts';
const costs = 'test/hard/costs/costs.test.ts';
const KIB = 1024;

export const MEASURED_COSTS = {
  process: { value: 105 * KIB * KIB, unit: 'bytes', what: 'a gateway without callers', source: costs },
  connection: { value: 20 * KIB, unit: 'bytes', what: 'an idle connection', source: footprint },
  node: {
    value: 85 * KIB,
    unit: 'bytes',
    what: 'a node with a KeepAlive stream, its connection and its stream at the manager included',
    source: footprint,
  },
  answer: {
    value: 9 * KIB,
    unit: 'bytes',
    what: 'a remembered answer, beside its own bytes',
    source: costs,
  },
  listedScheduler: {
    value: 300,
    unit: 'bytes',
    what: 'one scheduler in a list of manager v2.5.1',
    source: 'test/fixtures/recordings/manager-v2.5.1.json',
  },
  beat: { value: 75, unit: 'µs of CPU', what: 'a beat of a node', source: footprint },
  hit: { value: 75, unit: 'µs of CPU', what: 'a call answered from memory', source: costs },
  miss: { value: 1_100, unit: 'µs of CPU', what: 'a call for which the manager is asked', source: costs },
  start: {
    value: 700,
    unit: 'µs of CPU',
    what: 'a connection that is opened, asks Health/Check and ListSchedulers, and is closed',
    source: costs,
  },
} as const satisfies Record<string, MeasuredCost>;

export type Costs = Readonly<Record<keyof typeof MEASURED_COSTS, MeasuredCost>>;

/** How many connections one gateway was measured with: beyond it figures are drawn on. */
export const MEASURED_UP_TO_CONNECTIONS = 10_000;
