import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const ACTIONLINT = 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12';
const WORKFLOWS = '.github/workflows';

const dir = mkdtempSync(join(tmpdir(), 'actionlint-'));
beforeAll(() => {
  execFileSync('go', ['install', ACTIONLINT], { env: { ...process.env, GOBIN: dir }, stdio: 'pipe' });
}, 300_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function lint(text: string): { code: number | null; said: string } {
  const { status, stdout } = spawnSync(join(dir, 'actionlint'), ['-no-color', '-'], {
    input: text,
    encoding: 'utf8',
  });
  return { code: status, said: stdout };
}

type Workflow = {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly permissions?: Readonly<Record<string, string>>;
        readonly 'timeout-minutes'?: number;
        readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
      }
    >
  >;
};

describe.each(readdirSync(WORKFLOWS))('the workflow %s', (name) => {
  const text = readFileSync(join(WORKFLOWS, name), 'utf8');
  const workflow = parse(text) as Workflow;

  it('is what actionlint takes for a good one', () => {
    expect(lint(text)).toEqual({ code: 0, said: '' });
  });

  it('takes actions by their commit, with the version beside it', () => {
    const used = [...text.matchAll(/uses: *(.+)$/gm)].map(([, what]) => what);
    expect(used).not.toEqual([]);
    for (const what of used) expect(what).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('may write nothing but what a job of it says, never to the repository, and ends', () => {
    expect(Object.values(workflow.permissions)).not.toContain('write');
    for (const job of Object.values(workflow.jobs)) {
      expect(job.permissions?.contents ?? 'read').toBe('read');
      expect(job['timeout-minutes']).toBeGreaterThan(0);
    }
  });

  it('puts nothing that others write into a shell', () => {
    const scripts = Object.values(workflow.jobs).flatMap(({ steps }) => steps.map(({ run }) => run ?? ''));
    expect(scripts.filter((script) => script.includes('${{'))).toEqual([]);
  });
});

it('actionlint would say so if it were not', () => {
  const wrong = lint(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder is the workflow's.
    'on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ nothing.at.all }}\n',
  );
  expect([wrong.code, wrong.said]).toEqual([1, expect.stringContaining('undefined variable "nothing"')]);
});

it('a release has one version', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const chart = parse(readFileSync('deploy/helm/dragonfly-manager-gateway/Chart.yaml', 'utf8')) as {
    version: string;
    appVersion: string;
  };
  expect([chart.version, chart.appVersion]).toEqual([version, version]);
});
