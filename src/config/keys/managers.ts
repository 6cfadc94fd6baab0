import { duration, managerAddresses } from './parsed.js';
import { integer, pem, text } from './scalars.js';
import { section } from './section.js';

export const managers = section('The managers behind the gateway.', {
  addrs: managerAddresses(
    ['manager:65003'],
    'The managers; port 65003 where none is given, and with `dns:///` each address behind the name is a manager.',
  ),
  tls: section(
    'TLS towards the managers: for `https://`, and where the scheme is left out once `caCert` or `cert` is set.',
    {
      caCert: pem(
        'certificates',
        'The authorities that signed the managers’ certificates; empty: those of Node.',
      ),
      cert: pem('certificate chain', 'The certificate the gateway shows to the managers.'),
      key: pem('private key', 'The key of `cert`, without a passphrase.'),
      serverName: text(
        '',
        'The name the managers’ certificates must carry; empty: the host that is dialled.',
      ),
    },
  ),
  channelsPerAddr: integer(2, { min: 1, max: 64 }, 'connections', 'Connections kept to each address.'),
  connectTimeout: duration('3s', 'A connection that takes longer to open is given up and replaced.'),
  requestTimeout: duration(
    '10s',
    'Deadline of known reads and registrations; everything else has its caller’s deadline.',
  ),
  maxInFlight: integer(
    100,
    { min: 1 },
    'calls',
    'Calls in flight at one address; as many more wait, and what is beyond is refused at once. Answers from memory need none.',
  ),
  probe: section('The call that tells whether a manager works.', {
    interval: duration('10s', 'Time between two probes of one address.'),
    timeout: duration('10s', 'A probe without an answer for this long has failed.'),
    slow: duration('2s', 'A manager whose probe takes longer is passed over while others are faster.'),
  }),
});
