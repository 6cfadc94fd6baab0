import type { DiskEvent, ErrorClass, ReplayOutcome } from './events.js';
import type { LogLine, Of } from './log-line.js';

type Told = DiskEvent | Of<'node-registered-again'>;

/** What is said of the files in `snapshot.dir`. */
export function aboutDisk(event: Told): LogLine | undefined {
  switch (event.kind) {
    case 'directory-unusable':
      return {
        level: 'warn',
        msg: `snapshot.dir ${event.dir} cannot be used (${event.detail}): a restart begins cold, and without Redis no registration is taken while the managers are away`,
        fields: { event: event.kind, dir: event.dir, errorClass: 'permanent' },
      };
    case 'directory-taken':
      return {
        level: 'info',
        msg: `snapshot.dir ${event.dir} is used from now on`,
        fields: { event: event.kind, dir: event.dir },
      };
    case 'snapshot-written':
      return {
        level: 'debug',
        msg: `snapshot of ${event.entries} answers written, ${event.sizeBytes} bytes in ${Math.round(event.durationMs)} ms`,
        fields: { event: event.kind, entries: event.entries, sizeBytes: event.sizeBytes },
      };
    case 'snapshot-failed':
      // `directory-unusable` says why, once.
      return undefined;
    case 'snapshot-loaded':
      return loaded(event);
    case 'journal-loaded':
    case 'journal-failed':
    case 'registration-journaled':
    case 'registration-replayed':
    case 'node-registered-again':
      return aboutRegistrations(event);
    default:
      return event satisfies never;
  }
}

function loaded(event: Extract<Told, { kind: 'snapshot-loaded' }>): LogLine {
  const { entries, damagedBytes, ignored, newestAgeMs } = event;
  const age = newestAgeMs === undefined ? '' : `, the newest ${Math.round(newestAgeMs / 1000)} s old`;
  const rest =
    damagedBytes + ignored > 0 ? `; ${damagedBytes} bytes damaged, ${ignored} records not usable` : '';
  return {
    level: damagedBytes > 0 ? 'warn' : 'info',
    msg: `${entries} answers taken from the snapshot${age}${rest}`,
    fields: { event: event.kind, entries, damagedBytes, ignored },
  };
}

function aboutRegistrations(
  event: Exclude<Told, { kind: `snapshot-${string}` | `directory-${string}` }>,
): LogLine {
  switch (event.kind) {
    case 'journal-loaded': {
      const { known, pending, damagedBytes, ignored } = event;
      const rest =
        damagedBytes + ignored > 0 ? `; ${damagedBytes} bytes damaged, ${ignored} records unknown` : '';
      return {
        level: damagedBytes + ignored > 0 ? 'warn' : 'info',
        msg: `journal of registrations: ${known} nodes known, ${pending} to be made up for${rest}`,
        fields: { event: event.kind, known, pending, damagedBytes, ignored },
      };
    }
    case 'journal-failed':
      return {
        level: 'error',
        msg: `the journal of registrations cannot be written: ${event.detail}`,
        fields: { event: event.kind, errorClass: 'transient' },
        repeatKey: event.kind,
      };
    case 'registration-journaled':
      return {
        level: 'warn',
        msg: `a ${event.node} was registered here while no manager could take it; it is made up for later`,
        fields: { event: event.kind, node: event.node },
        repeatKey: event.kind,
      };
    case 'registration-replayed':
      return {
        level: event.outcome === 'refused' ? 'error' : 'info',
        msg: `a registration of an outage was made up for: ${event.outcome}`,
        fields: { event: event.kind, outcome: event.outcome, ...classOf(event.outcome) },
        repeatKey: `${event.kind} ${event.outcome}`,
      };
    case 'node-registered-again':
      return {
        level: event.outcome === 'refused' ? 'error' : 'warn',
        msg: `the manager did not know a live ${event.node}; its registration was sent again: ${event.outcome}`,
        fields: {
          event: event.kind,
          node: event.node,
          outcome: event.outcome,
          ...classOf(event.outcome),
        },
        repeatKey: `${event.kind} ${event.outcome}`,
      };
    default:
      return event satisfies never;
  }
}

/** Asked again, the manager would refuse it again. */
function classOf(outcome: ReplayOutcome): { errorClass?: ErrorClass } {
  return outcome === 'refused' ? { errorClass: 'permanent' } : {};
}
