import { anyList, duration, durationOrZero } from './parsed.js';
import { choice, decimal, integer, text } from './scalars.js';
import { section } from './section.js';

export const snapshot = section('What is kept on disk, for a start while the managers are away.', {
  dir: text(
    '/var/lib/dragonfly/manager-gateway',
    'Directory of the snapshot of answers and of the journal of registrations, one gateway’s own; empty: neither is kept.',
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
  lease: duration('15s', 'How long a replica’s claim on a node holds.'),
});

export const registrations = section('Registrations while the managers are away.', {
  whenDown: choice(
    'known',
    ['known', 'refuse'],
    'Whether those of nodes already known are accepted and made up for later.',
  ),
});

export const warmup = section('Questions asked at the start.', {
  timeout: durationOrZero('30s', 'How long the gateway waits for the answers before it says it is ready.'),
  rate: integer(50, { min: 1 }, 'calls a second', 'How fast they are asked.'),
  requests: anyList('The questions.'),
});
