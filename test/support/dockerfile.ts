import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

/** What has been done for the tests themselves, by the same lock file: it need not be done again to see that the rest builds upon it. */
const INSTALL = 'npm ci --no-audit --no-fund';

/** One line of a Dockerfile, its continuations joined. */
interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** The last stage of a Dockerfile, as a directory. */
export interface ImageTree {
  /** What would be `/`. */
  readonly root: string;
  readonly workdir: string;
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly healthcheck: readonly string[];
  readonly exposed: readonly string[];
}

/**
 * Builds the stages of a Dockerfile as plain directories, for where no engine runs: COPY copies, RUN runs in the stage's
 * directory, the base image is whatever this machine has. `context` is what `docker build` would be given.
 */
export function buildStages(dockerfile: string, context: string, into: string): ImageTree {
  const ignored = ignoredBy(context);
  const stages = new Map<string, string>();
  let last: Stage | undefined;
  for (const { name, rest } of instructionsOf(readFileSync(dockerfile, 'utf8'))) {
    if (name === 'FROM') {
      const [, as = String(stages.size)] = / AS (\S+)$/i.exec(rest) ?? [];
      last = new Stage(join(into, as));
      stages.set(as, last.root);
      continue;
    }
    if (last === undefined) throw new Error(`${name} before FROM`);
    last.apply(name, rest, { context, ignored, stages });
  }
  if (last === undefined) throw new Error('no FROM');
  return last.tree();
}

interface Surroundings {
  readonly context: string;
  readonly ignored: ReadonlySet<string>;
  readonly stages: ReadonlyMap<string, string>;
}

class Stage {
  readonly root: string;
  #workdir = '/';
  #user = 'root';
  readonly #env: Record<string, string> = {};
  readonly #words = new Map<string, readonly string[]>();
  readonly #exposed: string[] = [];

  constructor(root: string) {
    this.root = root;
    mkdirSync(root, { recursive: true });
  }

  apply(name: string, rest: string, around: Surroundings): void {
    switch (name) {
      case 'WORKDIR':
        this.#workdir = rest;
        mkdirSync(this.#at(rest), { recursive: true });
        return;
      case 'COPY':
        this.#copy(rest.split(/\s+/), around);
        return;
      case 'RUN':
        if (rest === INSTALL) {
          symlinkSync(join(around.context, 'node_modules'), join(this.#at(this.#workdir), 'node_modules'));
          return;
        }
        execFileSync('sh', ['-ec', rest], {
          cwd: this.#at(this.#workdir),
          env: { ...process.env, ...this.#env },
          stdio: 'pipe',
        });
        return;
      case 'ENV': {
        const [key = '', value = ''] = rest.split('=', 2);
        this.#env[key] = value;
        return;
      }
      case 'USER':
        this.#user = rest;
        return;
      case 'EXPOSE':
        this.#exposed.push(...rest.split(/\s+/));
        return;
      case 'ENTRYPOINT':
      case 'CMD':
        this.#words.set(name, JSON.parse(rest));
        return;
      case 'HEALTHCHECK':
        this.#words.set(name, JSON.parse(rest.slice(rest.indexOf('CMD') + 3)));
        return;
      case 'LABEL':
        return;
      default:
        throw new Error(`${name} is not understood here`);
    }
  }

  tree(): ImageTree {
    const words = (name: string): readonly string[] => this.#words.get(name) ?? [];
    return {
      root: this.root,
      workdir: this.#workdir,
      user: this.#user,
      env: this.#env,
      entrypoint: words('ENTRYPOINT'),
      cmd: words('CMD'),
      healthcheck: words('HEALTHCHECK'),
      exposed: this.#exposed,
    };
  }

  #at(path: string): string {
    return path.startsWith('/') ? join(this.root, path) : join(this.root, this.#workdir, path);
  }

  #copy(words: readonly string[], { context, ignored, stages }: Surroundings): void {
    const [, from] = /^--from=(.+)$/.exec(words[0] ?? '') ?? [];
    const paths = from === undefined ? words : words.slice(1);
    const base = from === undefined ? context : stages.get(from);
    if (base === undefined) throw new Error(`no stage ${from}`);
    const target = paths.at(-1) ?? '';
    for (const path of paths.slice(0, -1)) {
      if (from === undefined && ignored.has(path.replace(/^\.\//, '').split('/')[0] ?? '')) {
        throw new Error(`${path} is in .dockerignore`);
      }
      const source = join(base, path);
      // As Docker does: a directory's content, a file by its name into a directory.
      const isFile = statSync(source).isFile();
      const into =
        isFile && (target.endsWith('/') || paths.length > 2) ? join(target, basename(path)) : target;
      cpSync(source, this.#at(into), { recursive: true });
    }
  }
}

function instructionsOf(text: string): Instruction[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  const joined = lines
    .join('\n')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n');
  return joined
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return { name: name.toUpperCase(), rest };
    });
}

function ignoredBy(context: string): ReadonlySet<string> {
  const file = join(context, '.dockerignore');
  return new Set(existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []);
}
