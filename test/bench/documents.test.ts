import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { documentOf } from './document.js';
import { NODE_FLAG } from './peers/gateway.js';
import type { Results } from './results.js';
import { judged } from './scenarios/outage.js';
import { verdictsOf } from './verdicts.js';

test('docs/benchmarks.md is what docs/benchmarks.json says (npm run docs:benchmarks)', async () => {
  const results = JSON.parse(readFileSync('docs/benchmarks.json', 'utf8')) as Results;
  await expect(documentOf(results)).toMatchFileSnapshot('../../docs/benchmarks.md');
});

test('the gateway is measured as the image starts it', () => {
  expect(readFileSync('Dockerfile', 'utf8')).toContain(`ENTRYPOINT ["node", "${NODE_FLAG}",`);
});

test('an aim is reached by the ratio to Envoy, missed below it, and open where it was not measured', () => {
  const churn = (callsPerSecond: number) => ({
    rows: [
      { scenario: 'churn', target: 'gateway', repetitions: [{ callsPerSecond }] },
      { scenario: 'churn', target: 'envoy', repetitions: [{ callsPerSecond: 1_000 }] },
    ],
  });
  const verdict = (callsPerSecond: number) =>
    verdictsOf(churn(callsPerSecond)).find(({ aim }) => aim.startsWith('churn: at least'));
  expect([verdict(800)?.reached, verdict(799)?.reached]).toEqual([true, false]);
  expect(verdictsOf({ rows: [] }).every(({ reached }) => reached === undefined)).toBe(true);
});

test('an outage counts its clients, and ends with the last failure of what needs the manager', () => {
  const told = [
    { kind: 'client', atMs: 500, ok: false, ms: 1 },
    { kind: 'client', atMs: 1_000, ok: true, ms: 30 },
    { kind: 'client', atMs: 1_500, ok: false, ms: 5 },
    { kind: 'pass', atMs: 1_900, ok: false, ms: 1_000 },
    { kind: 'pass', atMs: 2_100, ok: false, ms: 50 },
    { kind: 'pass', atMs: 2_200, ok: true, ms: 5 },
  ] as const;
  expect(judged(told, 1_000, 2_000)).toEqual({ clients: 2, answeredShare: 0.5, p99Ms: 30, recoveryMs: 150 });
});
