import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import type { Config } from '../config/config.js';

/**
 * For every connection to Redis, to Sentinels, too; undefined: plain. Redis itself wants a client's certificate unless it is told otherwise.
 * ioredis reads the options for each connection that it opens, and so these are what the configuration says at that moment.
 */
export function tlsTowardsRedis({ tls }: Pick<Config['redis'], 'tls'>): ConnectionOptions | undefined {
  if (!tls.enable) return undefined;
  return {
    minVersion: 'TLSv1.2',
    get ca() {
      return tls.caCert || undefined;
    },
    get cert() {
      return tls.cert || undefined;
    },
    get key() {
      return tls.key || undefined;
    },
    /** What nodes of a cluster, and Sentinels of masters, tell are addresses; certificates are for names. */
    get servername() {
      // RFC 6066 §3 allows no IP address as a server name.
      return isIP(tls.serverName) ? '' : tls.serverName || undefined;
    },
    checkServerIdentity: (host, certificate) => checkServerIdentity(tls.serverName || host, certificate),
  };
}
