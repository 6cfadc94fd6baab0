import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../src/version.js';

const KEY_OR_TOKEN =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----|npm_[A-Za-z0-9]{36}|gh[pousr]_[A-Za-z0-9]{36}|AKIA[0-9A-Z]{16}/;

let dir: string;
let files: readonly string[];

// What is built lies in dist already; to build it anew here would take it away from the suites beside this one.
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'dfmgw-package-'));
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', dir];
  const [packed] = JSON.parse(execFileSync('npm', pack, { encoding: 'utf8', stdio: 'pipe' })) as {
    filename: string;
    files: { path: string }[];
  }[];
  files = packed?.files.map(({ path }) => path) ?? [];
  writeFileSync(join(dir, 'package.json'), '{"private": true}');
  const tarball = join(dir, packed?.filename ?? '');
  const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball];
  execFileSync('npm', install, { cwd: dir, stdio: 'pipe' });
}, 180_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function run(...args: readonly string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(join(dir, 'node_modules/.bin/manager-gateway'), args, {
    cwd: dir,
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  return { code: status, out: stdout, err: stderr };
}

describe('the npm package', () => {
  it('holds what runs and what that reads, and nothing that builds, tests or deploys', () => {
    const parts = new Set(
      files.map((file) => (file.includes('/') ? file.slice(0, file.indexOf('/') + 1) : file)),
    );
    expect([...parts].toSorted()).toEqual(
      ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist/', 'package.json', 'proto/', 'src/'].toSorted(),
    );
    expect(files.filter((file) => file.startsWith('src/') && !file.startsWith('src/admin/page/'))).toEqual(
      [],
    );
    for (const file of ['dist/main.js', 'proto/manager/v2/manager.proto', 'src/admin/page/index.html'])
      expect(files).toContain(file);
    expect(files.filter((file) => /\.test\.|\.pem$|\.env|\.map$/.test(file))).toEqual([]);
  });

  it('holds no key and no token', () => {
    const found = files.filter((file) => KEY_OR_TOKEN.test(readFileSync(file, 'utf8')));
    expect(found).toEqual([]);
    expect('-----BEGIN EC PRIVATE KEY-----').toMatch(KEY_OR_TOKEN);
  });

  it('is built anew when it is published', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(scripts.prepack).toMatch(/rmSync\('dist'.*npm run .*build$/);
  });

  it('is a command where it was installed', () => {
    expect(run('--version')).toEqual({ code: 0, out: `${VERSION}\n`, err: '' });
    expect(run('plan', '--daemons', '1000').out).toMatch(/^2 gateways\n/);
    expect(run('serve', '--check')).toMatchObject({ code: 0, out: 'the configuration is right\n' });
  });

  it('reads its proto files there: doctor asks a manager, and says that nobody is there', () => {
    const { code, out, err } = run(
      'doctor',
      ...[
        'managers.addrs=["127.0.0.1:1"]',
        'snapshot.dir=',
        'server.listen=127.0.0.1:0',
        'metrics.addr=127.0.0.1:0',
        'admin.addr=127.0.0.1:0',
      ].flatMap((set) => ['--set', set]),
    );
    expect([code, err]).toEqual([2, '']);
    expect(out).toMatch(/^failure +.*127\.0\.0\.1:1/m);
  });
});
