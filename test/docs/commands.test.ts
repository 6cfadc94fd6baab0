import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKS } from '../support/command-checks.js';
import { type Command, commandsOf, fencesOf, pages } from '../support/documents.js';
import { type DocumentsWorld, type Ran, startDocumentsWorld } from '../support/documents-world.js';

/** Run here: the gateway's own command, and what asks a gateway. */
const RUN = ['manager-gateway', 'node', 'curl', 'promtool'];
/** Commands that are named in a sentence, and need more to be run, or never end: their help is asked instead. */
const NEED_MORE = ['demo', 'simulate', 'export', 'purge', 'plan', 'completion', 'serve', 'simulate'];
/** Exit codes that say something else than that the command is wrong. */
const FINE: Readonly<Record<string, readonly number[]>> = { status: [0, 1], doctor: [0, 1] };
/** What the server has to say to a curl, where it is not 200: there is no other manager to accept. */
const STATUS: readonly (readonly [string, number])[] = [['/api/accept-manager', 409]];
/** Told, and no longer true: versions that were. */
const HISTORY = ['CHANGELOG.md'];

const all = pages()
  .filter(({ file }) => !HISTORY.includes(file))
  .flatMap(commandsOf);
const parts: readonly Command[] = [
  ...new Map(
    all.flatMap(({ file, text }) =>
      text.split(' && ').map((part) => [part, { file, text: part.replace(/^sudo /, '') }] as const),
    ),
  ).values(),
];
const program = (text: string): string => wordsOf(text)[0] ?? '';

let world: DocumentsWorld;
beforeAll(async () => {
  world = await startDocumentsWorld();
}, 60_000);
afterAll(() => world.stop());

describe('in the pages', () => {
  it('there are commands, in the README and in runbooks, too', () => {
    const files = new Set(all.map(({ file }) => file));
    expect([...files]).toEqual(
      expect.arrayContaining(['README.md', 'docs/operation.md', 'docs/runbooks/manager-unhealthy.md']),
    );
    expect(parts.length).toBeGreaterThan(30);
  });

  it('whatever stands for something else is explained in docs/README.md', () => {
    const explained = readFileSync('docs/README.md', 'utf8');
    const standIns = parts.flatMap(({ text }) =>
      [...text.matchAll(/(?<![\w'-])[A-Z][A-Z_]{2,}(?![\w=_])/g)]
        .map(([name]) => name)
        .filter((name) => !['POST', 'GET', 'SIGHUP'].includes(name)),
    );
    expect([...new Set(standIns)].filter((name) => !explained.includes(`| \`${name}\` |`))).toEqual([]);
  });

  it('no block of commands hides from this test as a block of something else', () => {
    const hidden = pages().flatMap(({ file, text }) =>
      fencesOf(text)
        .filter(({ language, lines }) => language !== 'sh' && lines.some((line) => isCommand(line)))
        .map(() => file),
    );
    expect(hidden).toEqual([]);
  });
});

function isCommand(line: string): boolean {
  return /^(?:\$ |(?:npm|curl|docker|helm|kubectl|systemctl|manager-gateway|sudo) )/.test(line);
}

describe('a command of the pages that can be run here does what it should:', () => {
  const runs = parts.filter(({ text }) => RUN.includes(program(text)));
  it.each(runs.map(({ text, file }) => [text, file] as const))(
    '%s (%s)',
    async (text) => {
      if (program(text) === 'curl') return asksWell(text);
      const subcommand = subcommandOf(text);
      const bare = wordsOf(text).length === 2 && NEED_MORE.includes(subcommand);
      const ran = await world.run(bare ? `${text} --help` : text);
      expect([...(FINE[subcommand] ?? [0])], `${world.asTyped(text)}\n${ran.out}${ran.err}`).toContain(
        ran.code,
      );
      expect(ran.err.replaceAll(/^npm warn.*\n/gm, '')).toBe('');
    },
    60_000,
  );
});

async function asksWell(text: string): Promise<void> {
  const ran: Ran = await world.run(text.replace(/^curl /, "curl -sS -w '\\n%{http_code}' "));
  const [, status = 200] = STATUS.find(([path]) => text.includes(path)) ?? [];
  expect([ran.code, Number(ran.out.slice(ran.out.lastIndexOf('\n') + 1))], ran.out + ran.err).toEqual([
    0,
    status,
  ]);
}

describe('a command of the pages that cannot be run here is at least no nonsense:', () => {
  const checks = parts.filter(({ text }) => !RUN.includes(program(text)));
  it.each(checks.map(({ text, file }) => [text, file] as const))('%s (%s)', (text) => {
    const check = CHECKS[program(text)];
    expect(check, `nobody runs or checks ${program(text)}`).toBeDefined();
    expect(check?.(wordsOf(text))).toBe(undefined);
  });
});

describe('nonsense', () => {
  it.each([
    ['npm run nothing', 'package.json has no script "nothing"'],
    ['./test/run --soft', 'test/run has no --soft'],
    ['docker compose -f deploy/nowhere.yaml up', 'deploy/nowhere.yaml is not there'],
    ['docker build -t a b', 'the Dockerfile is in .'],
    [
      'helm install a deploy/helm/dragonfly-manager-gateway --set manager.adrs=b',
      'the chart has no value manager.adrs',
    ],
    ['helm upgrade a deploy/helm/other', 'it names another chart'],
    [
      'kubectl -n dragonfly-system logs statefulset/other',
      'statefulset/other is not what the chart makes: manager-gateway-dragonfly-manager-gateway',
    ],
    [
      'kubectl annihilate all',
      'found "annihilate"; allowed: apply, delete, describe, exec, get, logs, port-forward, rollout, scale',
    ],
    ['systemctl restart other-gateway', 'no unit other-gateway in deploy/systemd'],
    ['kill -NOW 1', '-NOW is no signal'],
  ])('is found: %s', (text, why) => {
    expect(CHECKS[program(text)]?.(wordsOf(text))).toBe(why);
  });

  it('is found in a command that is run, too', async () => {
    expect((await world.run('manager-gateway status --jsn')).code).toBe(2);
    await expect(asksWell('curl http://127.0.0.1:8080/api/no-such')).rejects.toThrow('404');
  });
});

function subcommandOf(text: string): string {
  const words = wordsOf(text);
  return words[words[0] === 'node' ? 2 : 1] ?? '';
}

/** As a shell does it, with quotes taken away. */
function wordsOf(text: string): readonly string[] {
  return [...text.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) => word.replaceAll(/['"]/g, ''));
}
