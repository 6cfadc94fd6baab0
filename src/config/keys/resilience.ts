import { duration, durationOrZero } from './parsed.js';
import { choice, decimal, integer, text } from './scalars.js';
import { section } from './section.js';
import { warmupRequests } from './warmup-requests.js';

export const snapshot = section('What is kept on disk, for a start while the managers are away.', {
  dir: text(
    '/var/lib/dragonfly/manager-gateway',
    'Directory of the snapshot of answers, of the journal of registrations and of the nodes held, one gateway’s own; empty: none is kept.',
  ),
  interval: duration('10s', 'Time between two snapshots.'),
});

export const breaker = section('When a method is no longer asked for, one breaker each.', {
  volumeThreshold: integer(20, { min: 1 }, 'calls', 'Calls within the window before a breaker may open.'),
  errorRate: decimal(50, { min: 1, max: 100 }, 'percent', 'Faults among them that open it.'),
  window: duration('10s', 'How far back faults are counted.'),
  resetTimeout: duration('5s', 'How long it stays open before one call is tried.'),
});

export const retry = section('Asking again; reads only.', {
  maxAttempts: integer(3, { min: 1 }, 'attempts', 'Attempts in all; 1 never asks again.'),
  backoff: durationOrZero(
    '1s',
    'The longest wait before the second attempt; doubles with each, and is drawn at random.',
  ),
  budget: decimal(
    0.1,
    { min: 0, max: 1 },
    '',
    'Retries allowed as a share of the requests, beside one a second.',
  ),
});

export const keepAlive = section('What keeps live nodes active at the managers.', {
  grace: duration('25s', 'How long a node whose stream broke is kept active.'),
  reconcile: duration('30s', 'Time between two looks at what the managers think of a node.'),
  lease: duration('15s', 'How long a replica’s claim on a node holds without being renewed; with Redis.'),
  portCheck: durationOrZero(
    '0s',
    'Time between two TCP connections to the port of each live node, as its registration names it; 0: none are made.',
  ),
});

export const registrations = section('Registrations while the managers are away.', {
  whenDown: choice(
    'known',
    ['known', 'refuse'],
    'Whether those of nodes already known are accepted and made up for later.',
  ),
});

export const warmup = section(
  'What is asked ahead of the callers: at the start, and when a manager is back.',
  {
    timeout: durationOrZero('30s', '`/readyz` says ready at the latest after this, warm or not.'),
    rate: integer(
      50,
      { min: 1 },
      'calls a second',
      'How fast it is asked, and for the first 10 s of a manager’s return all that can wait.',
    ),
    requests: warmupRequests('Questions to ask first, before those that callers have asked.'),
  },
);
