import { GATEWAYS, LIMITS, PROXIES } from '../targets.js';
import { calls } from './calls.js';
import { churn } from './churn.js';
import { day } from './day.js';
import { fleet, storm } from './fleet.js';
import { idle } from './idle.js';
import { nodes } from './nodes.js';
import { outage } from './outage.js';
import type { Scenario } from './scenario.js';

/** `--quick`: beside Envoy and HAProxy, within 10 minutes. */
export function quickScenarios(repetitions = 3): readonly Scenario[] {
  const targets = ['gateway', 'envoy', 'haproxy'];
  return [
    calls({ kind: 'hit', targets, repetitions, seconds: 3 }),
    calls({ kind: 'pass', targets, repetitions, seconds: 3 }),
    churn({ targets, repetitions, seconds: 3 }),
    idle({ connections: 2_000, targets, repetitions, watchSeconds: 0 }),
  ];
}

export function allScenarios(repetitions = 5): readonly Scenario[] {
  const everybody = [...GATEWAYS, ...PROXIES, ...LIMITS];
  return [
    calls({ kind: 'hit', targets: everybody, repetitions, seconds: 3 }),
    calls({ kind: 'pass', targets: everybody, repetitions, seconds: 3 }),
    churn({ targets: everybody, repetitions, seconds: 4 }),
    idle({ connections: 2_000, targets: everybody, repetitions, watchSeconds: 0 }),
    idle({ connections: 10_000, targets: ['gateway', ...PROXIES], repetitions, watchSeconds: 60 }),
    nodes(['gateway', ...PROXIES], repetitions),
    storm(['gateway', ...PROXIES, 'stub'], repetitions),
    ...[100, 1_000, 10_000].map((daemons) => fleet(daemons, ['gateway', 'envoy'], repetitions)),
    outage('killed', ['gateway', ...PROXIES], repetitions),
    outage('frozen', ['gateway', ...PROXIES], repetitions),
    day(['gateway'], 240, repetitions),
  ];
}
