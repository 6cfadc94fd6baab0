import { Gauge, type Registry } from 'prom-client';
import type { ClaimEvent, ClaimGivenReason, ClaimWhence } from './events.js';
import { METRIC_PREFIX } from './metric-prefix.js';
import { membersOf, seriesMaker } from './series.js';

const STATES = ['held', 'unshared', 'moving', 'elsewhere'] as const;
const WHENCE = membersOf<ClaimWhence>({
  nobody: 0,
  given: 0,
  expired: 0,
  forced: 0,
  recovered: 0,
  unshared: 0,
});
const GIVEN = membersOf<ClaimGivenReason>({ wanted: 0, late: 0 });

/** Nodes by who holds them, read at the moment of a scrape: see `keepalive/claims.ts`. */
export type MeasuredClaims = Readonly<Record<(typeof STATES)[number], number>>;

/** The series of who holds the nodes, and which event moves which. */
export function createClaimMetrics(
  registry: Registry,
  claims: () => MeasuredClaims,
): (event: ClaimEvent) => void {
  const { counter } = seriesMaker(registry);
  const taken = counter('claims_taken_total', 'Nodes that this replica began to hold, by whence they came.', {
    whence: WHENCE,
  });
  const given = counter('claims_given_total', 'Nodes that another replica has taken.', { reason: GIVEN });
  const reasserted = counter(
    'claims_reasserted_total',
    'Streams opened again because a replica that was late had ended an old one of the node.',
  );
  const unshared = counter('claims_unshared_total', 'Times that Redis went away from the claims.');
  const recovered = counter(
    'nodes_recovered_total',
    'Nodes found on disk at the start, by what became of them.',
    { result: ['recovered', 'elsewhere', 'too-old'] },
  );

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
