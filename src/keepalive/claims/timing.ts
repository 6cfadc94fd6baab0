/** How long things take; all follow from `keepAlive.lease`, so that a short one (in tests) makes everything quicker. */
export interface ClaimTiming {
  readonly leaseMs: number;
  readonly renewMs: number;
  /** Between two looks at what concerns this replica; a hint on the channel brings the next one at once. */
  readonly lookMs: number;
  /** What Redis said so long ago is believed still: shorter than anybody takes to take a node from a replica that says nothing. */
  readonly beliefMs: number;
  /** A holder that says nothing is passed over by then. */
  readonly patienceMs: number;
  /** One that has heard of the wish, and waits for the manager to confirm the end of its stream (up to 5 s), by then. */
  readonly yieldMs: number;
  /** How long a wish counts whose owner says nothing more. */
  readonly freshMs: number;
  /** A replica that was not heard of for so long is not there. */
  readonly thereMs: number;
  /** What nobody renews is gone from Redis by then, and a claim that nobody can take over by the other. */
  readonly keptMs: number;
  readonly rubbishMs: number;
  /** A lease that holds for longer is of a clock that has been set back. */
  readonly longestLeaseMs: number;
}

const LOOK_MS = 1_000;
const PATIENCE_MS = 1_500;
const YIELD_FACTOR = 4;
const KEPT_MS = 3_600_000;
const RUBBISH_MS = 600_000;
/** Replicas may differ in their leases while a new configuration is rolled out. */
const LONGEST_LEASE_MS = 300_000;

export function claimTiming(leaseMs: number): ClaimTiming {
  const lookMs = Math.min(LOOK_MS, leaseMs / 6);
  const patienceMs = Math.min(PATIENCE_MS, leaseMs);
  return {
    leaseMs,
    renewMs: leaseMs / 3,
    lookMs,
    // A renewal is at most lease/3 + lookMs old; with this it is younger than the lease.
    beliefMs: Math.min(patienceMs, leaseMs / 3),
    patienceMs,
    yieldMs: YIELD_FACTOR * patienceMs,
    freshMs: 2 * YIELD_FACTOR * patienceMs,
    thereMs: 3 * lookMs,
    keptMs: Math.max(KEPT_MS, 10 * leaseMs),
    rubbishMs: Math.max(RUBBISH_MS, 4 * leaseMs),
    longestLeaseMs: Math.max(LONGEST_LEASE_MS, 4 * leaseMs),
  };
}
