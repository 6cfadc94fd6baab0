import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { coresOf } from './cores.js';
import { cpuSecondsOf, memoryBytesOf } from './footprint.js';
import { parseGhz } from './generators/ghz.js';
import { parseH2load } from './generators/h2load.js';
import { merged } from './merged.js';
import { parseOptions } from './options.js';
import { quickJson } from './quick-json.js';
import type { Results, Row } from './results.js';
import { median, percentile, spread } from './statistics.js';
import { summaryOf } from './summary.js';
import { tableOf } from './table.js';

const H2LOAD = `finished in 3.01s, 12786.51 req/s, 7.65MB/s
requests: 38360 total, 38460 started, 38360 done, 38359 succeeded, 1 failed, 0 errored, 0 timeout
status codes: 38360 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 23.02MB (24137440) total, 599.38KB (613760) headers (space savings 90.00%), 21.58MB (22632400) data`;

const rows: Row[] = [
  {
    scenario: 'hit-10x10',
    target: 'gateway',
    repetitions: [
      { callsPerSecond: 900, cpuSecondsPer10k: 0.5, p50Ms: 1, p99Ms: 3 },
      { callsPerSecond: 1_000, cpuSecondsPer10k: 0.61234, p50Ms: 1, p99Ms: 5 },
      { callsPerSecond: 1_400, cpuSecondsPer10k: 0.7, p50Ms: 1, p99Ms: 4 },
    ],
  },
  { scenario: 'hit-10x10', target: 'envoy', repetitions: [{ callsPerSecond: 2_000 }] },
  { scenario: 'idle-2000', target: 'gateway', repetitions: [{ kbPerConnection: 17.123456 }] },
];

const results: Results = {
  day: '2026-01-01',
  machine: { cpu: 'a cpu', cores: 2, memoryGib: 8, kernel: 'Linux 6.1', pinning: '' },
  versions: { envoy: '1.0.0' },
  missing: [],
  rows,
};

test('medians and spreads are those of the repetitions', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(spread([3, 1, 2])).toEqual([1, 3]);
  expect(percentile([1, 2, 3, 4], 0.5)).toBe(3);
  expect(summaryOf(rows[0] as Row).medians).toEqual({
    callsPerSecond: 1_000,
    cpuSecondsPer10k: 0.61234,
    p50Ms: 1,
    p99Ms: 4,
  });
});

test('what h2load prints is read, its failures too', () => {
  expect(parseH2load(H2LOAD)).toEqual({
    calls: 38_359,
    callsPerSecond: 12_786.51,
    failed: 1,
    dataBytes: 22_632_400,
  });
  expect(() => parseH2load('something else')).toThrow('did not print');
});

test('what ghz prints is read, in milliseconds, and a failed call is no measurement', () => {
  const report = {
    // Of four seconds, without the first.
    rps: 2_250,
    count: 9_000,
    statusCodeDistribution: { OK: 9_000 },
    latencyDistribution: [
      { percentage: 50, latency: 400_000 },
      { percentage: 99, latency: 1_500_000 },
    ],
  };
  expect(parseGhz(JSON.stringify(report))).toEqual({ callsPerSecond: 3_000, p50Ms: 0.4, p99Ms: 1.5 });
  const failed = { ...report, statusCodeDistribution: { OK: 8_999, Unavailable: 1 } };
  expect(() => parseGhz(JSON.stringify(failed))).toThrow('Unavailable');
});

test('the quick JSON has medians of four measures, and leaves out what a row does not measure', () => {
  expect(quickJson(results)).toEqual({
    rows: [
      { scenario: 'hit-10x10', target: 'gateway', callsPerSecond: 1_000, cpuSecondsPer10k: 0.6123, p99Ms: 4 },
      { scenario: 'hit-10x10', target: 'envoy', callsPerSecond: 2_000 },
      { scenario: 'idle-2000', target: 'gateway', kbPerConnection: 17.12 },
    ],
  });
});

test('the table has median, spread and the ratio to Envoy', () => {
  const [, line] = tableOf(rows).split('\n');
  expect(line).toContain('1000 (900..1400) 0.50x');
});

test('a run of some scenarios leaves what an earlier one has of others', () => {
  const newer = {
    ...results,
    day: '2026-01-02',
    rows: [{ scenario: 'idle-2000', target: 'envoy', repetitions: [] }],
  };
  const both = merged(results, newer);
  expect(both.rows.map(({ scenario, target }) => `${scenario} ${target}`)).toEqual([
    'hit-10x10 gateway',
    'hit-10x10 envoy',
    'idle-2000 envoy',
  ]);
  expect(both.day).toBe('2026-01-02');
});

test('server and generators are on different cores where there are two', () => {
  expect(coresOf(1)).toEqual({ server: '', manager: '', generator: '' });
  expect(coresOf(2)).toEqual({ server: '0', generator: '1', manager: '1' });
  expect(coresOf(4)).toEqual({ server: '0', generator: '1', manager: '2' });
});

test('what a process costs is read from /proc', () => {
  const before = cpuSecondsOf(process.pid);
  const untilMs = performance.now() + 100;
  while (performance.now() < untilMs) JSON.parse('[1, 2, 3]');
  expect(cpuSecondsOf(process.pid)).toBeGreaterThan(before);
  const ownBytes = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1_024;
  expect(memoryBytesOf(process.pid)).toBeGreaterThan(ownBytes / 2);
});

test('an option that is not known, or makes no sense, is refused', () => {
  expect(parseOptions(['--quick', '--json', '--only', 'hit,churn'])).toMatchObject({
    quick: true,
    json: true,
    only: ['hit', 'churn'],
  });
  expect(() => parseOptions(['--quik'])).toThrow();
  expect(() => parseOptions(['--repetitions', '0'])).toThrow('above 0');
});
