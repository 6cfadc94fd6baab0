import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
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

it('the first command of the README works from a fresh clone, with nothing but Node and what is in /usr/bin', async () => {
  const command = first?.lines.join('\n') ?? '';
  expect(command).toBe('npm ci && npm run demo');
  let ran = await typed(command);
  // It says so itself: a fleet that stood still for half a second lost five of its own.
  if (ran.status !== 0 && ran.said.includes('This machine was busy')) ran = await typed('npm run demo');
  expect(ran.status, ran.said).toBe(0);
  expect(ran.said).toContain('without the gateway the incident hurts');
  expect(execFileSync('git', ['status', '--porcelain'], { cwd: clone, encoding: 'utf8' })).toBe('');
}, 600_000);

it('the second is what CI runs on each change', () => {
  expect(second?.lines).toEqual(['./test/run']);
  expect(readFileSync('.ci/run', 'utf8')).toMatch(/exec \.\/test\/run/);
  expect(readFileSync('.github/workflows/ci.yml', 'utf8')).toMatch(/run: \.ci\/run/);
});

/** In the clone, with no more of this process's environment than says where packages come from. */
async function typed(command: string): Promise<{ readonly status: unknown; readonly said: string }> {
  const packages = Object.entries(process.env).filter(([name]) =>
    /^npm_config_|_proxy$|^NODE_EXTRA/i.test(name),
  );
  const child = spawn('bash', ['-c', command], {
    cwd: clone,
    env: {
      HOME: process.env.HOME,
      PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
      ...Object.fromEntries(packages),
    },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  const [status] = await once(child, 'close');
  return { status, said };
}
