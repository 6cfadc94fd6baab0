import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const { commit: COMMIT } = JSON.parse(
  readFileSync(join(PROJECT, 'test/deploy/previous-version.json'), 'utf8'),
) as { commit: string };

/** The version before this one, as its commit builds it. */
export interface PreviousVersion {
  /** Its `dist/main.js`. */
  readonly main: string;
  remove(): void;
}

/** Why it cannot be built here; undefined: it can. A whole history without that commit is no excuse. */
export function whyNoPreviousVersion(): string | undefined {
  if (git('rev-parse', '--is-inside-work-tree') !== 'true') return 'this is no checkout of the repository';
  if (git('rev-parse', '--is-shallow-repository') === 'true' && git('cat-file', '-t', COMMIT) !== 'commit')
    return `this checkout is shallow: git fetch --unshallow brings ${COMMIT}`;
  return undefined;
}

/** Minutes where its dependencies are not those of this version. Throws if the commit is not in the history. */
export function buildPreviousVersion(): PreviousVersion {
  const ancestor = spawnSync('git', ['merge-base', '--is-ancestor', COMMIT, 'HEAD'], { cwd: PROJECT });
  if (ancestor.status !== 0)
    throw new Error(`${COMMIT} of test/deploy/previous-version.json is not in the history of HEAD`);
  const dir = mkdtempSync(join(tmpdir(), 'dfmgw-previous-'));
  const archive = execFileSync('git', ['archive', '--format=tar', COMMIT], {
    cwd: PROJECT,
    maxBuffer: 2 ** 28,
  });
  execFileSync('tar', ['-x', '-C', dir], { input: archive });
  if (sameDependencies(dir)) symlinkSync(join(PROJECT, 'node_modules'), join(dir, 'node_modules'));
  else
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: dir, stdio: 'pipe' });
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], {
    cwd: dir,
    stdio: 'pipe',
  });
  return {
    main: join(dir, 'dist/main.js'),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

type Lock = {
  readonly packages: Readonly<
    Record<string, { version?: string; dependencies?: object; devDependencies?: object }>
  >;
};

/** What it runs with is here, in the very versions; what it only tests with does not matter. */
function sameDependencies(dir: string): boolean {
  const read = (of: string): Lock['packages'] =>
    (JSON.parse(readFileSync(join(of, 'package-lock.json'), 'utf8')) as Lock).packages;
  const [theirs, ours] = [read(dir), read(PROJECT)];
  const names = [...Object.keys(theirs['']?.dependencies ?? {}), 'typescript', '@types/node'];
  return names.every((name) => {
    const at = `node_modules/${name}`;
    return theirs[at]?.version === ours[at]?.version && existsSync(join(PROJECT, at));
  });
}

function git(...args: readonly string[]): string {
  return spawnSync('git', args, { cwd: PROJECT, encoding: 'utf8' }).stdout.trim();
}
