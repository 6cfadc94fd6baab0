import type { ClaimEvent, ClaimWhence } from './events.js';
import type { LogLine } from './log-line.js';

/** What is said of who holds the nodes' streams; what happens with every move of a node is for debugging. */
export function aboutClaim(event: ClaimEvent): LogLine {
  switch (event.kind) {
    case 'claim-taken': {
      const { kind, whence } = event;
      return {
        level: LEVEL[whence],
        msg: `this replica holds a node: ${WHENCE[whence]}`,
        fields: { event: kind, whence },
        repeatKey: `${kind} ${whence}`,
      };
    }
    case 'claim-given':
      return {
        level: event.reason === 'late' ? 'warn' : 'debug',
        msg: `another replica holds a node that was ours: ${GIVEN[event.reason]}`,
        fields: { event: event.kind, reason: event.reason },
        repeatKey: `${event.kind} ${event.reason}`,
      };
    case 'claim-reasserted':
      return {
        level: 'warn',
        msg: 'a replica that was late has ended a stream of a node that is ours by now; it is opened again',
        fields: { event: event.kind },
        repeatKey: event.kind,
      };
    case 'claims-unshared':
      return {
        level: 'warn',
        msg: `Redis is away: replicas no longer tell each other which nodes they hold (here ${event.claims}); a node that moves may be inactive until it is looked after`,
        fields: { event: event.kind, claims: event.claims, errorClass: 'transient' },
        repeatKey: event.kind,
      };
    case 'claims-shared':
      return {
        level: 'info',
        msg: `replicas tell each other through Redis which nodes they hold (here ${event.claims})`,
        fields: { event: event.kind, claims: event.claims },
        repeatKey: event.kind,
      };
    case 'nodes-recovered': {
      const { kind, recovered, elsewhere, tooOld } = event;
      return {
        level: 'info',
        msg: `${recovered} nodes that were here before are kept active until they come back; ${elsewhere} are another replica’s by now, ${tooOld} were not heard for too long`,
        fields: { event: kind, recovered, elsewhere, tooOld },
      };
    }
    default:
      return event satisfies never;
  }
}

const LEVEL = {
  nobody: 'debug',
  given: 'debug',
  recovered: 'debug',
  unshared: 'debug',
  expired: 'warn',
  forced: 'warn',
} as const satisfies Record<ClaimWhence, LogLine['level']>;

const WHENCE: Readonly<Record<ClaimWhence, string>> = {
  nobody: 'nobody had it',
  given: 'another replica has ended its stream for us',
  recovered: 'it was ours before',
  unshared: 'Redis is away, so that nobody can say who had it',
  expired: 'the replica that had it is dead',
  forced: 'the replica that had it does not answer',
};

const GIVEN = {
  wanted: 'its stream here was ended for it',
  late: 'we were late, and have ended our stream',
} as const;
