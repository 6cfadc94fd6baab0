import type { AddressStatus } from './upstream.js';

/** Has every address failed its last probe? Before the first one nobody knows, and that is no. */
export function allFailed(statuses: readonly AddressStatus[]): boolean {
  return statuses.length > 0 && statuses.every(({ state }) => state === 'failed');
}
