import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ManagerCommand } from '../../../src/simulator/manager/process-command.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** The simulated manager's program, compiled into a directory of its own: Node 20 runs no TypeScript. */
export type ManagerProgram = { readonly file: string; remove(): Promise<void> };

export async function buildManagerProgram(): Promise<ManagerProgram> {
  const directory = await mkdtemp(join(tmpdir(), 'dfmgw-manager-'));
  // Beside dist, as in the package: what it loads at run time.
  for (const name of ['proto', 'node_modules', 'package.json'])
    await symlink(join(ROOT, name), join(directory, name));
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      rootDir: join(ROOT, 'src'),
      outDir: join(directory, 'dist'),
      sourceMap: false,
      typeRoots: [join(ROOT, 'node_modules/@types')],
    },
    files: [join(ROOT, 'src/simulator/manager/process.ts')],
    include: [],
  };
  const project = join(directory, 'tsconfig.json');
  await writeFile(project, JSON.stringify(config));
  const remove = (): Promise<void> => rm(directory, { recursive: true });
  try {
    await promisify(execFile)(join(ROOT, 'node_modules/.bin/tsc'), ['-p', project]);
    return { file: join(directory, 'dist/simulator/manager/process.js'), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** One running manager process. */
export class ManagerProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  address = '';

  private constructor(child: ChildProcess, reader: Interface) {
    this.#child = child;
    this.#reader = reader;
    this.#lines = reader[Symbol.asyncIterator]();
  }

  static async start(program: ManagerProgram, args: readonly string[] = []): Promise<ManagerProcess> {
    const child = spawn(process.execPath, [program.file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (child.stdout === null) throw new Error('no stdout');
    const started = new ManagerProcess(child, createInterface({ input: child.stdout }));
    started.address = String((await started.#answer()).address);
    return started;
  }

  async tell(command: ManagerCommand): Promise<Record<string, unknown>> {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
    return this.#answer();
  }

  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    this.#child.kill(name);
  }

  /** Ends it politely, by the end of its stdin. Resolves with its exit code, or null when a signal ended it. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      // A stopped process does not see the end of its stdin.
      this.#child.kill('SIGCONT');
      const exited = once(this.#child, 'exit');
      this.#child.stdin?.end();
      await exited;
    }
    this.#reader.close();
    return this.#child.exitCode;
  }

  async #answer(): Promise<Record<string, unknown>> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('the manager process has ended');
    return JSON.parse(value);
  }
}
