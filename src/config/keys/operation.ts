import { hostNames, listenAddress, otlpEndpoint } from './parsed.js';
import { choice, decimal, flag, secretText, text } from './scalars.js';
import { section } from './section.js';

export const fleet = section('The fleet this gateway serves.', {
  id: text('', 'Part of every key of the cache; required with Redis.'),
});

export const mode = choice(
  'answer',
  ['answer', 'observe', 'bypass'],
  'Answer from memory, only count what would have been answered, or just forward; SIGHUP switches it.',
);

export const metrics = section('Prometheus metrics, and health over HTTP.', {
  enable: flag(true, 'Whether the address is served.'),
  addr: listenAddress(':8000', 'Where `/metrics`, `/healthy` and `/readyz` are served.'),
});

export const admin = section('The operator’s HTTP endpoint.', {
  enable: flag(true, 'Whether the address is served.'),
  addr: listenAddress('127.0.0.1:8080', 'Where it is served.'),
  token: secretText('What whoever acts on `admin.addr` must show as a bearer token; empty: nobody may.'),
  hosts: hostNames(
    'By which names browsers may call it (an ingress’s), besides addresses, localhost, names without a dot, and those of the machine and of cluster services.',
  ),
});

export const log = section('The log, JSON on standard output.', {
  level: choice(
    'info',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
    'The least serious entries that are written.',
  ),
});

export const tracing = section(
  'Spans by OpenTelemetry. W3C trace context passes through with or without it.',
  {
    endpoint: otlpEndpoint('Where spans are sent (OTLP over HTTP); empty: none are made.'),
    sample: decimal(
      0.01,
      { min: 0, max: 1 },
      '',
      'The share of calls that are traced where the caller has not decided it.',
    ),
  },
);
