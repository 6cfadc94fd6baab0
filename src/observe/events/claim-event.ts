/** From whom a replica has a node: `given`: its holder has let go; `expired`: of a dead one; `forced`: of one that did not answer. */
export type ClaimWhence = 'nobody' | 'given' | 'expired' | 'forced' | 'recovered' | 'unshared';

/** `late`: another one had taken it already. */
export type ClaimGivenReason = 'wanted' | 'late';

/** Which replica holds which nodes. */
export type ClaimEvent =
  /** At the start: nodes that were here before, that another replica has by now, and that may have died since. */
  | { kind: 'nodes-recovered'; recovered: number; elsewhere: number; tooOld: number }
  | { kind: 'claim-taken'; whence: ClaimWhence }
  | { kind: 'claim-given'; reason: ClaimGivenReason }
  /** A replica that was late has ended a stream of the node: ours is replaced. */
  | { kind: 'claim-reasserted' }
  /** Redis is away, and every replica holds what it has; or it is back. */
  | { kind: 'claims-unshared'; claims: number }
  | { kind: 'claims-shared'; claims: number };
