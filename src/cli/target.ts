import type { Command } from 'commander';
import { formatHostPort, parseManagerAddress } from '../config/addresses.js';
import { belongTogether, readPem } from '../config/pem.js';
import { GatewayError } from '../errors.js';
import type { GatewayTarget } from './gateway-caller.js';

/** PEM; empty: none. */
export type TargetTls = Pick<GatewayTarget, 'caCert' | 'cert' | 'key'>;

export type TargetFlags = {
  readonly target?: string;
  readonly caCert?: string;
  readonly cert?: string;
  readonly key?: string;
};

/** The options that name a running gateway. */
export function addTargetOptions(command: Command, withoutIt: string): Command {
  return command
    .option(
      '-t, --target <host:port>',
      `a running gateway, https:// where it uses TLS; without it ${withoutIt}`,
    )
    .option(
      '--ca-cert <file>',
      'the authorities that signed the certificate of the target; with it, TLS is used',
    )
    .option('--cert <file>', 'the certificate to show to the target, with --key')
    .option('--key <file>', 'the key of --cert');
}

/** What the flags say of TLS, read. Throws `config-invalid`. */
export function targetTls({ target, ...flags }: TargetFlags): TargetTls {
  const read = (flag: string, path = ''): string => {
    const pem = readPem(path, flag === '--key' ? 'key' : 'certificates');
    if (pem.kind === 'pem') return pem.text;
    const allowed = flag === '--key' ? 'a PEM file with a private key' : 'a PEM file with certificates';
    throw refused(flag, pem.found, allowed);
  };
  const tls = {
    caCert: read('--ca-cert', flags.caCert),
    cert: read('--cert', flags.cert),
    key: read('--key', flags.key),
  };
  if ((tls.cert === '') !== (tls.key === '')) {
    const [given, missing] = tls.cert === '' ? ['--key', '--cert'] : ['--cert', '--key'];
    throw refused(given, `it without ${missing}`, 'both, or neither');
  }
  if (tls.cert !== '' && !belongTogether(tls.cert, tls.key))
    throw refused('--key', 'a key that does not belong to --cert', 'the key of --cert');
  if (target === undefined && (tls.caCert !== '' || tls.cert !== ''))
    throw refused(tls.caCert === '' ? '--cert' : '--ca-cert', 'it without --target', 'it with --target');
  return tls;
}

/** A gateway as it is named on a command line: `host:port`, or `https://host:port`. Throws `config-invalid`. */
export function parseTarget(text: string, tls: TargetTls): GatewayTarget {
  const allowed = 'host:port, or https://host:port';
  const given = tls.caCert !== '' || tls.cert !== '';
  const parsed = attempt(text, allowed);
  if (parsed.tls === 'off' && given)
    throw refused('--target', `"${text}" with certificates`, 'https:// with them');
  return { authority: formatHostPort(parsed), tls: parsed.tls === 'on' || given, ...tls };
}

function attempt(text: string, allowed: string): ReturnType<typeof parseManagerAddress> {
  try {
    return parseManagerAddress(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw refused('--target', `"${text}" (${why})`, allowed);
  }
}

function refused(flag: string, found: string, allowed: string): GatewayError {
  return new GatewayError('config-invalid', `${flag}: found ${found}; allowed: ${allowed}`);
}
