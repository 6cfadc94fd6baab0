import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('the vectors of addresses and blocks are what Go says', () => {
  const cwd = fileURLToPath(new URL('./go-address', import.meta.url));
  const made = execFileSync('go', ['run', '.'], { cwd, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
  const committed = readFileSync(new URL('../fixtures/go-addresses.json', import.meta.url), 'utf8');
  expect(JSON.parse(made)).toEqual(JSON.parse(committed));
});
