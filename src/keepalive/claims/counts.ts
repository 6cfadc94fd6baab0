import type { ClaimCounts } from '../claims.js';
import type { Claim } from './claim.js';

export function countClaims(claims: ReadonlyMap<string, Claim>): ClaimCounts {
  const counts = { held: 0, unshared: 0, moving: 0, elsewhere: 0 };
  for (const claim of claims.values()) counts[placeOf(claim)]++;
  return counts;
}

function placeOf(claim: Claim): keyof ClaimCounts {
  switch (claim.kind) {
    case 'held':
      return claim.since === undefined ? 'unshared' : 'held';
    case 'taking':
    case 'yielding':
    case 'adopting':
      return 'moving';
    case 'elsewhere':
      return 'elsewhere';
    default:
      return claim satisfies never;
  }
}
