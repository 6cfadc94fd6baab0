import { Counter, Gauge, type Registry } from 'prom-client';
import { METRIC_PREFIX } from './gauges.js';
import type { ClaimEvent } from './log-claims.js';

const STATES = ['held', 'unshared', 'moving', 'elsewhere'] as const;

/** Nodes by who holds them, read at the moment of a scrape: see `keepalive/claims.ts`. */
export type MeasuredClaims = Readonly<Record<(typeof STATES)[number], number>>;

/** The series of who holds the nodes, and which event moves which. */
export function createClaimMetrics(
  registry: Registry,
  claims: () => MeasuredClaims,
): (event: ClaimEvent) => void {
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
  const recovered = counter(
    'nodes_recovered_total',
    'Nodes found on disk at the start, by what became of them.',
    ['result'],
  );
  for (const result of ['recovered', 'elsewhere', 'too-old']) recovered.inc({ result }, 0);
  for (const whence of ['nobody', 'given', 'expired', 'forced', 'recovered', 'unshared'])
    taken.inc({ whence }, 0);
  for (const reason of ['wanted', 'late']) given.inc({ reason }, 0);

  new Gauge({
    name: `${METRIC_PREFIX}claims`,
    help: 'Nodes of which this replica knows who holds them; none without Redis.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const counts = claims();
      for (const state of STATES) this.set({ state }, counts[state]);
    },
  });

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
      case 'nodes-recovered':
        recovered.inc({ result: 'recovered' }, event.recovered);
        recovered.inc({ result: 'elsewhere' }, event.elsewhere);
        return recovered.inc({ result: 'too-old' }, event.tooOld);
      case 'claims-shared':
        return undefined;
      default:
        return event satisfies never;
    }
  };
}
