import type { GatewayEvent } from './events.js';
import type { LogLine } from './log-table.js';

type DiskEvent = Extract<
  GatewayEvent,
  { kind: 'directory-unusable' | 'snapshot-written' | 'snapshot-failed' | 'snapshot-loaded' }
>;

/** What is said of the files in `snapshot.dir`. */
export function aboutDisk(event: DiskEvent): LogLine | undefined {
  switch (event.kind) {
    case 'directory-unusable':
      return {
        level: 'warn',
        msg: `snapshot.dir ${event.dir} cannot be used (${event.detail}): a restart begins cold, and no registration is taken while the managers are away`,
        fields: { event: event.kind, dir: event.dir, errorClass: 'permanent' },
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
    default:
      return event satisfies never;
  }
}

function loaded(event: Extract<DiskEvent, { kind: 'snapshot-loaded' }>): LogLine {
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
