import { Counter, type Registry } from 'prom-client';
import { METRIC_PREFIX } from './gauges.js';
import type { ClaimEvent } from './log-claims.js';

/** The series of who holds the nodes, and which event moves which. */
export function createClaimMetrics(registry: Registry): (event: ClaimEvent) => void {
  const counter = <T extends string>(name: string, help: string, labelNames: readonly T[]): Counter<T> =>
    new Counter({ name: METRIC_PREFIX + name, help, labelNames, registers: [registry] });
  const taken = counter('claims_taken_total', 'Nodes that this replica began to hold, by whence they came.', [
    'whence',
  ]);
  const given = counter('claims_given_total', 'Nodes that another replica has taken.', ['reason']);
  const reasserted = counter(
    'claims_reasserted_total',
    'Streams opened again because a replica that was late had ended an old one of the node.',
    [],
  );
  const unshared = counter('claims_unshared_total', 'Times that Redis went away from the claims.', []);
  for (const whence of ['nobody', 'given', 'expired', 'forced', 'recovered', 'unshared'])
    taken.inc({ whence }, 0);
  for (const reason of ['wanted', 'late']) given.inc({ reason }, 0);

  return (event) => {
    switch (event.kind) {
      case 'claim-taken':
        return taken.inc({ whence: event.whence });
      case 'claim-given':
        return given.inc({ reason: event.reason });
      case 'claim-reasserted':
        return reasserted.inc();
      case 'claims-unshared':
        return unshared.inc();
      case 'claims-shared':
        return undefined;
      default:
        return event satisfies never;
    }
  };
}
