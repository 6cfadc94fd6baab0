import { formatHostPort, parseManagerAddress } from '../config/addresses.js';
import { GatewayError } from '../errors.js';
import type { GatewayTarget } from './gateway-caller.js';

/** A gateway as it is named on a command line: `host:port`, or `https://host:port`. Throws `config-invalid`. */
export function parseTarget(text: string, caCert: string): GatewayTarget {
  try {
    const { host, port, tls } = parseManagerAddress(text);
    return { authority: formatHostPort({ host, port }), tls: tls === 'on' || caCert !== '', caCert };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new GatewayError('config-invalid', `--target: found "${text}" (${why}); allowed: host:port`);
  }
}
