import { duration, hostPorts, keyPrefix } from './parsed.js';
import { choice, flag, integer, pem, secretText, text } from './scalars.js';
import { section } from './section.js';

export const redis = section('What replicas share, registrations included; off while `addrs` is empty.', {
  addrs: hostPorts('The server, the Sentinels, or some nodes of the cluster.'),
  mode: choice('single', ['single', 'sentinel', 'cluster'], 'What `addrs` are.'),
  masterName: text('', 'The name of the master group; with `mode: sentinel`.'),
  username: text('', 'User of the Redis server.'),
  password: secretText('Password of the Redis server.'),
  sentinelPassword: secretText('Password of the Sentinels.'),
  db: integer(0, { min: 0 }, '', 'Database number; Redis Cluster has only 0.'),
  keyPrefix: keyPrefix('dfmgw', 'What every key begins with.'),
  secret: secretText('Replicas trust only entries signed with it; empty: entries are not signed.'),
  timeout: duration('100ms', 'Deadline of one command.'),
  tls: section('TLS towards Redis.', {
    enable: flag(false, 'Whether connections to Redis use TLS.'),
    caCert: pem(
      'certificates',
      'The authorities that signed the servers’ certificates; empty: those of Node.',
    ),
    cert: pem(
      'certificate chain',
      'The certificate the gateway shows to Redis, which wants one unless its `tls-auth-clients` says otherwise.',
    ),
    key: pem('private key', 'The key of `cert`, without a passphrase.'),
    serverName: text(
      '',
      'The name the servers’ certificates must carry; empty: the host that is dialled, which Sentinels and clusters tell as an address.',
    ),
  }),
});
