import { clientRules } from './client-rules.js';
import { duration, durationOrZero, listenAddress } from './parsed.js';
import { choice, integer, pem } from './scalars.js';
import { section } from './section.js';

const LARGEST_MESSAGE_BYTES = 2 ** 30;
const LARGEST_METADATA_BYTES = 2 ** 20;

export const server = section('What the daemons, seed peers and schedulers connect to.', {
  listen: listenAddress('0.0.0.0:65003', 'Where gRPC is served; "[::]:65003" serves both address families.'),
  engine: choice('node', ['node'], 'The HTTP/2 engine.'),
  tls: section('TLS towards the callers; off while `cert` is empty.', {
    caCert: pem('certificates', 'The authorities that signed the callers’ certificates.'),
    cert: pem('certificate chain', 'The gateway’s own certificate.'),
    key: pem('private key', 'The key of `cert`, without a passphrase.'),
    clientAuth: choice(
      'none',
      ['none', 'request', 'require'],
      'Whether callers are asked for a certificate, and whether those without one are turned away.',
    ),
  }),
  clients: section('Which client certificates may call what; needs `server.tls.clientAuth`.', {
    mode: choice(
      'off',
      ['off', 'warn', 'enforce'],
      'Whether what no rule allows is let pass, let pass and told of, or refused with PERMISSION_DENIED.',
    ),
    rules: clientRules('What is allowed, by names in certificates; what no rule allows is forbidden.'),
  }),
  maxConnections: integer(
    25_000,
    { min: 1 },
    'connections',
    'Connections open at once; a Rust daemon opens two at its start.',
  ),
  maxConcurrentStreams: integer(
    256,
    { min: 1, max: 2 ** 31 - 1 },
    'streams',
    'Calls in flight on one connection.',
  ),
  maxMetadataBytes: integer(
    16_384,
    { min: 256, max: LARGEST_METADATA_BYTES },
    'bytes',
    'The largest metadata of one call.',
  ),
  maxMessageBytes: integer(
    4_194_304,
    { min: 1, max: LARGEST_MESSAGE_BYTES },
    'bytes',
    'The largest request message; CreateModel may always have 256 MiB.',
  ),
  ping: section('How dead connections are found.', {
    interval: duration('30s', 'Time between two HTTP/2 pings on a connection.'),
    timeout: duration('10s', 'A connection whose ping is not answered for this long is closed.'),
  }),
  limits: section(
    'What one caller may take of what is there for all. Rates are per second and connection, with a burst of two seconds (`asksPerSecond`: ten); 0: any.',
    {
      connectionsPerAddress: integer(
        0,
        { min: 0 },
        'connections',
        'Connections open at once from one address; 0: any, as behind NAT one address is many callers.',
      ),
      firstFrameTimeout: duration('10s', 'How long a new connection may take to speak HTTP/2.'),
      idleTimeout: durationOrZero('1h', 'A connection without a call for this long is closed; 0s: never.'),
      resetsPerSecond: integer(100, { min: 0 }, 'streams', 'Calls that the caller cancels.'),
      pingsPerSecond: integer(
        500,
        { min: 0 },
        'pings',
        'HTTP/2 pings, those aside that come with calls (grpc-go).',
      ),
      settingsPerSecond: integer(10, { min: 0 }, 'frames', 'Changes of HTTP/2 settings.'),
      refusalsPerSecond: integer(
        100,
        { min: 0 },
        'calls',
        'Calls that are no gRPC, whose metadata is too large, or that exceed `asksPerSecond`; beyond it the connection is closed.',
      ),
      asksPerSecond: integer(
        200,
        { min: 0 },
        'calls',
        'Writes, and reads that memory cannot answer; beyond it the last good answer, or RESOURCE_EXHAUSTED.',
      ),
      bytesInFlight: integer(
        268_435_456,
        { min: 1_048_576 },
        'bytes',
        'Of all request messages that have begun and are not whole, and as many of answers that are passed on and not taken yet; one alone is always taken.',
      ),
      memory: integer(
        0,
        { min: 0 },
        'bytes',
        'Beyond it only what is remembered is answered; 0: 85 % of what the process may have (cgroup), if that is limited.',
      ),
    },
  ),
  drainTimeout: durationOrZero('25s', 'How long calls in flight may take to finish after SIGTERM.'),
});
