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

/** Made by the `openssl` command (3.0 or later), because Node can read certificates but make none. */
export function makeCertificates(serverNames = LOOPBACK): Certificates {
  const directory = mkdtempSync(join(tmpdir(), 'certificates-'));
  const at = (name: string): string => join(directory, name);
  const read = (name: string): string => readFileSync(at(name), 'utf8');
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  const leaf = (name: string, subjectNames = LOOPBACK): Pair => {
    const request = ['-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)];
    const names = ['-addext', `subjectAltName=${subjectNames}`];
    const noAuthority = ['-addext', 'basicConstraints=critical,CA:FALSE'];
    const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-days', '2'];
    openssl('req', '-x509', ...EC_KEY, ...request, ...names, ...noAuthority, ...signed);
    return { cert: read(`${name}.pem`), key: read(`${name}.key`) };
  };
  try {
    const authority = ['-subj', '/CN=test authority', '-keyout', at('ca.key'), '-out', at('ca.pem')];
    openssl('req', '-x509', ...EC_KEY, ...authority, '-days', '2');
    return { caCert: read('ca.pem'), server: leaf('server', serverNames), client: leaf('client') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
