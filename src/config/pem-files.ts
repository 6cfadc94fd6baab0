import type { TlsFiles } from './config.js';
import type { Conflict } from './conflict.js';
import { lookUp } from './look-up.js';
import { at } from './path.js';
import { belongTogether, isPemPath, objectionOfTls, readPem } from './pem.js';
import type { Settings } from './schema.js';

/** Every PEM of the configuration, read. */
export type PemFiles = {
  readonly server: TlsFiles;
  readonly managers: TlsFiles;
  readonly redis: TlsFiles;
};

/** Where the PEM keys point to, right or wrong. */
export function pemPaths({ server, managers, redis }: Settings): readonly string[] {
  return [server.tls, managers.tls, redis.tls]
    .flatMap(({ caCert, cert, key }) => [caCert, cert, key])
    .filter(isPemPath);
}

/** Reads every PEM key; what cannot be used is empty in `files` and told in `conflicts`. */
export function readPemFiles(settings: Settings): { files: PemFiles; conflicts: readonly Conflict[] } {
  const conflicts: Conflict[] = [];
  const read = (path: string, value: string): string => {
    const pem = readPem(value, path.endsWith('.key') ? 'key' : 'certificates');
    if (pem.kind === 'pem') return pem.text;
    const target = lookUp(path.split('.'));
    conflicts.push({
      paths: [at(path)],
      found: pem.found,
      allowed: target.kind === 'key' ? target.meta.allowed : '',
    });
    return '';
  };
  const readTls = (path: string, tls: TlsFiles): TlsFiles => {
    const caCert = read(`${path}.caCert`, tls.caCert);
    const cert = read(`${path}.cert`, tls.cert);
    const key = read(`${path}.key`, tls.key);
    if (cert !== '' && key !== '' && !belongTogether(cert, key)) {
      const paths: Conflict['paths'] = [at(`${path}.key`), at(`${path}.cert`)];
      conflicts.push({ paths, found: 'a key that does not belong to cert', allowed: 'the key of cert' });
      return { caCert, cert, key };
    }
    const objection = objectionOfTls({ caCert, cert, key });
    if (objection !== undefined) {
      const paths: Conflict['paths'] = [at(`${path}.cert`), at(`${path}.key`), at(`${path}.caCert`)];
      conflicts.push({ paths, found: `what TLS cannot use (${objection})`, allowed: 'PEM that TLS can use' });
    }
    return { caCert, cert, key };
  };
  const server = readTls('server.tls', settings.server.tls);
  const managers = readTls('managers.tls', settings.managers.tls);
  const redis = readTls('redis.tls', settings.redis.tls);
  return { files: { server, managers, redis }, conflicts };
}
