import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './temporary-directory.js';

/** Its own authority, and over since 2021; `openssl req` makes none that are over, `openssl ca` does. */
export function expiredPair(): { cert: string; key: string } {
  const dir = temporaryDirectory();
  const at = (name: string): string => join(dir, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    at('key'),
  ];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  openssl('req', ...newKey, ...names, '-out', at('request'));
  writeFileSync(at('index'), '');
  writeFileSync(
    at('ca.cnf'),
    `[ca]\ndefault_ca=own\n[own]\ndatabase=${at('index')}\nrand_serial=yes\nnew_certs_dir=${dir}\n` +
      'default_md=sha256\npolicy=any\ncopy_extensions=copy\n[any]\ncommonName=supplied\n',
  );
  const dates = ['-startdate', '20200101000000Z', '-enddate', '20210101000000Z'];
  const files = ['-keyfile', at('key'), '-in', at('request'), '-out', at('cert'), '-notext'];
  openssl('ca', '-config', at('ca.cnf'), '-selfsign', '-batch', ...dates, ...files);
  return { cert: readFileSync(at('cert'), 'utf8'), key: readFileSync(at('key'), 'utf8') };
}
