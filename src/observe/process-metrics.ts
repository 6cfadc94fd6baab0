import type { GatewayEvent, ReplayOutcome } from './events.js';
import { membersOf, type SeriesMaker } from './series.js';

type Measured = Extract<
  GatewayEvent,
  {
    kind:
      | 'config-reloaded'
      | 'config-refused'
      | 'operator-acted'
      | 'operator-refused'
      | 'internal-error'
      | 'registration-journaled'
      | 'registration-replayed'
      | 'journal-failed'
      | 'world-frozen'
      | 'world-known-again'
      | 'world-accepted';
  }
>;

const REPLAYED = membersOf<ReplayOutcome>({
  applied: 0,
  'there-already': 0,
  dead: 0,
  refused: 0,
  superseded: 0,
  later: 0,
});

/** What happens to the gateway itself, and what it writes down for the manager. */
export function createProcessMetrics({ counter }: SeriesMaker): (event: Measured) => void {
  const reloads = counter('config_reloads_total', 'Reloads of the configuration, by result.', {
    result: ['applied', 'refused'],
  });
  const acts = counter('operator_acts_total', 'Acts over the admin address, by result.', {
    result: ['done', 'refused'],
  });
  const internalErrors = counter('internal_errors_total', 'Errors of the gateway itself.');
  const registrations = counter(
    'registrations_total',
    'Registrations written down while the managers were away, and what became of them.',
    { outcome: ['journaled', 'not-written', ...REPLAYED] },
  );
  const worlds = counter('another_manager_total', 'What became of managers that looked like another one.', {
    what: ['frozen', 'known-again', 'accepted'],
  });

  return (event) => {
    switch (event.kind) {
      case 'config-reloaded':
        return reloads.inc({ result: 'applied' });
      case 'config-refused':
        return reloads.inc({ result: 'refused' });
      case 'operator-acted':
        return acts.inc({ result: 'done' });
      case 'operator-refused':
        return acts.inc({ result: 'refused' });
      case 'internal-error':
        return internalErrors.inc();
      case 'registration-journaled':
        return registrations.inc({ outcome: 'journaled' });
      case 'registration-replayed':
        return registrations.inc({ outcome: event.outcome });
      case 'journal-failed':
        return registrations.inc({ outcome: 'not-written' });
      case 'world-frozen':
        return worlds.inc({ what: 'frozen' });
      case 'world-known-again':
        return worlds.inc({ what: 'known-again' });
      case 'world-accepted':
        return worlds.inc({ what: 'accepted' });
      default:
        return event satisfies never;
    }
  };
}
