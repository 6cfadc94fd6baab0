import type { ConnectionOptions } from 'node:tls';
import type { Config } from '../config/config.js';

/** For every connection to Redis, to Sentinels, too; undefined: plain. Redis itself wants a client's certificate unless it is told otherwise. */
export function tlsTowardsRedis({ tls }: Pick<Config['redis'], 'tls'>): ConnectionOptions | undefined {
  if (!tls.enable) return undefined;
  const { caCert, cert, key } = tls;
  return {
    ...(caCert === '' ? {} : { ca: caCert }),
    ...(cert === '' ? {} : { cert, key }),
  };
}
