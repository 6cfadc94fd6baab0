import type { Emit } from '../../observe/events.js';
import type { Clock } from '../../rpc/clock.js';
import type { ClaimsListener } from '../claims.js';
import type { Claim } from './claim.js';
import type { ClaimsExchange } from './exchange.js';
import type { SealedRecords } from './sealed-record.js';
import type { ClaimTiming } from './timing.js';

/** What all that deals with claims has in common. */
export interface ClaimDesk {
  readonly replica: string;
  readonly claims: Map<string, Claim>;
  readonly exchange: ClaimsExchange;
  readonly sealed: SealedRecords;
  readonly timing: ClaimTiming;
  readonly listener: () => ClaimsListener;
  /** Is Redis away, so that every replica is on its own? */
  readonly away: () => boolean;
  /** Is this replica leaving? */
  readonly leaving: () => boolean;
  /** Looks at what concerns this replica now. */
  readonly look: () => void;
  /** What Redis could not be told of yet. */
  readonly untold: Untold;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** What Redis was not told of in time lapses with its lease. */
export const MOST_UNTOLD = 65_536;

/** What has ended here while Redis was away; it is told when Redis is back, before anything else. */
export interface Untold {
  /** Nodes that have gone. */
  readonly releases: Set<string>;
  /** Claims whose streams were ended for others. */
  readonly yields: Map<string, string>;
}

/** Redis was asked for a node that has gone from here meanwhile: it is not to keep it for us. */
export function withdraw({ claims, exchange, untold }: ClaimDesk, key: string): void {
  if (claims.has(key)) return;
  void exchange.release([key]).then((released) => {
    // What was asked may be heard there later than that it has gone.
    if (released === undefined && untold.releases.size < MOST_UNTOLD) untold.releases.add(key);
  });
}

/** The listener's errors are the gateway's own, and must not leave a claim half done. */
export async function endStream({ listener, emit }: ClaimDesk, key: string): Promise<void> {
  try {
    await listener().yield(key);
  } catch (error) {
    emit({ kind: 'internal-error', where: 'ending a stream that another replica takes', error });
  }
}
