import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { COMPOSE, composeServices } from '../support/compose.js';

const dir = mkdtempSync(join(tmpdir(), 'compose-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** Its own loader, by source: schema, references between services, interpolation. */
function loaded(file: string) {
  const cwd = fileURLToPath(new URL('./compose', import.meta.url));
  return spawnSync('go', ['run', '.', file], { cwd, encoding: 'utf8' });
}

it('compose.yaml is what docker compose loads, with every service', () => {
  const { status, stdout, stderr } = loaded(join(process.cwd(), COMPOSE));
  expect([status, stderr.split('\n').filter((line) => line !== '' && !line.startsWith('go: '))]).toEqual([
    0,
    [],
  ]);
  const { services } = JSON.parse(stdout);
  expect(Object.keys(services).toSorted()).toEqual(Object.keys(composeServices()).toSorted());
  expect(services.gateway).toMatchObject({ read_only: true, cap_drop: ['ALL'], stop_grace_period: '35s' });
}, 300_000);

it('docker compose would say so if it were not', () => {
  const file = join(dir, 'compose.yaml');
  writeFileSync(file, 'services: {a: {image: b:1, comand: [c]}, d: {image: e:1, depends_on: [f]}}');
  expect(loaded(file).status).not.toBe(0);
});
