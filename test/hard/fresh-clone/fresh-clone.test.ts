import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fencesOf } from '../../support/documents.js';

const dir = mkdtempSync(join(tmpdir(), 'dfmgw-clone-'));
const clone = join(dir, 'clone');
const [first, second] = fencesOf(readFileSync('README.md', 'utf8')).filter(
  ({ language }) => language === 'sh',
);

beforeAll(() => {
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', '.', clone], { stdio: 'pipe' });
}, 60_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('the first command of the README works from a fresh clone, with nothing but Node and what is in /usr/bin', () => {
  const command = first?.lines.join('\n') ?? '';
  expect(command).toBe('npm ci && npm run demo');
  const { status, stdout, stderr } = spawnSync('bash', ['-c', command], {
    cwd: clone,
    encoding: 'utf8',
    env: {
      HOME: process.env.HOME,
      PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
      // Where packages come from is this machine's to say.
      ...Object.fromEntries(
        Object.entries(process.env).filter(([name]) => /^npm_config_|_proxy$|^NODE_EXTRA/i.test(name)),
      ),
    },
  });
  expect(status, stdout + stderr).toBe(0);
  expect(stdout).toContain('gateway');
  expect(execFileSync('git', ['status', '--porcelain'], { cwd: clone, encoding: 'utf8' })).toBe('');
}, 400_000);

it('the second is what CI runs on each change', () => {
  expect(second?.lines).toEqual(['./test/run']);
  expect(readFileSync('.ci/run', 'utf8')).toMatch(/exec \.\/test\/run/);
  expect(readFileSync('.github/workflows/ci.yml', 'utf8')).toMatch(/run: \.ci\/run/);
});
