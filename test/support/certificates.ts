import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** PEM text. */
export type Pair = { readonly cert: string; readonly key: string };

/** A small authority, and what it has signed. Each is valid for two days from when the test made it. */
export type Certificates = {
  readonly caCert: string;
  /** For 127.0.0.1, ::1 and localhost, as server and as client; the server for other names if some are given. */
  readonly server: Pair;
  readonly client: Pair;
};

const LOOPBACK = 'IP:127.0.0.1,IP:::1,DNS:localhost';
const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** An authority that signs as many as are wanted. */
export interface Authority {
  readonly caCert: string;
  /** `days` below 0: it expired so long ago. */
  leaf(name: string, options?: { readonly names?: string; readonly days?: number }): Pair;
  /** It signs no more. */
  end(): void;
}

/** Made by the `openssl` command (3.0 or later), because Node can read certificates but make none. */
export function makeAuthority(): Authority {
  const directory = mkdtempSync(join(tmpdir(), 'certificates-'));
  const at = (name: string): string => join(directory, name);
  const read = (name: string): string => readFileSync(at(name), 'utf8');
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  const authority = ['-subj', '/CN=test authority', '-keyout', at('ca.key'), '-out', at('ca.pem')];
  openssl('req', '-x509', ...EC_KEY, ...authority, '-days', '2');
  return {
    caCert: read('ca.pem'),
    leaf(name, { names = LOOPBACK, days = 2 } = {}) {
      const subject = ['-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`)];
      const extensions = [
        '-addext',
        `subjectAltName=${names}`,
        '-addext',
        'basicConstraints=critical,CA:FALSE',
      ];
      openssl('req', ...EC_KEY, ...subject, ...extensions);
      const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', String(days)];
      const request = ['-req', '-in', at(`${name}.csr`), '-copy_extensions', 'copy'];
      openssl('x509', ...request, ...signed, '-out', at(`${name}.pem`));
      return { cert: read(`${name}.pem`), key: read(`${name}.key`) };
    },
    end: () => rmSync(directory, { recursive: true }),
  };
}

/** An authority of one server and one client. */
export function makeCertificates(serverNames = LOOPBACK): Certificates {
  const authority = makeAuthority();
  try {
    const server = authority.leaf('server', { names: serverNames });
    return { caCert: authority.caCert, server, client: authority.leaf('client') };
  } finally {
    authority.end();
  }
}
