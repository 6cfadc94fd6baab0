import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

function demo(...args: string[]) {
  const child = spawn(process.execPath, [MAIN, 'demo', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.stderr += chunk.toString();
  });
  return { child, said, exited: once(child, 'close').then(([code, signal]) => code ?? signal) };
}

it('refuses a seed that is no number, before anything starts', async () => {
  const { said, exited } = demo('--seed', 'abc');
  expect(await exited).toBe(2);
  expect(said.stderr).toContain("argument 'abc' is invalid");
  expect(said.stdout).toBe('');
});

it('says that it was interrupted, even while it starts, and exits with 130', async () => {
  const { child, said, exited } = demo();
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  expect(await exited).toBe(130);
  expect(said.stdout).toMatch(
    /Interrupted(: these are the figures until then| before anything could be seen)\./,
  );
  expect(said.stderr).toBe('');
});

it('ends in silence when nobody reads it any more', async () => {
  const { child, said, exited } = demo();
  await once(child.stdout, 'data');
  child.stdout.destroy();
  expect(await exited).toBe(141);
  expect(said.stderr).toBe('');
});
