import type { WorldEvent } from './events.js';
import type { LogLine } from './log-line.js';

/** What is said of a manager that is not the one we know. */
export function aboutWorld(event: WorldEvent): LogLine | undefined {
  switch (event.kind) {
    case 'world-frozen':
      return {
        level: 'error',
        msg: `this looks like another manager (${event.detail}): what is remembered is served, nothing of it is taken and nothing written to it. If it is the right one: POST /api/accept-manager on admin.addr, with admin.token`,
        fields: { event: event.kind, errorClass: 'permanent' },
      };
    case 'world-known-again':
      return { level: 'warn', msg: 'the manager is the known one again', fields: { event: event.kind } };
    case 'world-cleared':
      return undefined;
    case 'world-accepted':
      return {
        level: 'warn',
        msg: 'the operator has accepted this manager: everything remembered is asked for anew',
        fields: { event: event.kind },
      };
    default:
      return event satisfies never;
  }
}
