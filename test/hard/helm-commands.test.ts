import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandsOf, pages } from '../support/documents.js';

const HELM = 'helm.sh/helm/v3/cmd/helm@v3.19.0';
const dir = mkdtempSync(join(tmpdir(), 'helm-'));
const commands = pages()
  .flatMap(commandsOf)
  .flatMap(({ text }) => text.split(' && '))
  .filter((text) => /^helm (?:install|upgrade) \S+ deploy\/helm\//.test(text));

beforeAll(() => {
  execFileSync('go', ['install', HELM], { env: { ...process.env, GOBIN: dir }, stdio: 'pipe' });
}, 900_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What it would install. An upgrade has the values of the installation. */
function rendered(text: string) {
  const template = text
    .replace(/^helm (?:install|upgrade) (?:--install )?/, 'helm template ')
    .replace('--reuse-values', "--set 'manager.addrs={manager:65003}'");
  return spawnSync('bash', ['-c', `${template} --kube-version 1.31`], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${dir}${delimiter}${process.env.PATH}` },
  });
}

describe('a helm command of the pages renders what the other commands name:', () => {
  it.each(commands)('%s', (text) => {
    const { status, stdout, stderr } = rendered(text);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /kind: StatefulSet\nmetadata:\n {2}name: manager-gateway-dragonfly-manager-gateway\n/,
    );
  });
});

it('and one that is wrong does not', () => {
  expect(commands.length).toBeGreaterThan(1);
  expect(rendered(`${commands[0]} --set replcas=2`).status).toBe(1);
});
