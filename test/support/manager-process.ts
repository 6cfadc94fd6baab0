import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ManagerCommand } from '../../src/simulator/manager/process-command.js';

const ENTRY = fileURLToPath(new URL('../../dist/simulator/manager/process.js', import.meta.url));

/** A simulated manager in a process of its own, to be killed and frozen for real. Needs `npm run build`. */
export interface ManagerProcess {
  readonly address: string;
  /** kill -9, and gone. */
  kill(): Promise<void>;
  /** SIGSTOP: sockets stay open, nothing answers. */
  freeze(): void;
  thaw(): void;
  /** A new process on the same port. */
  restart(): Promise<void>;
  /** What the process answers to a command; a frozen one once it is thawed. */
  tell(command: ManagerCommand): Promise<Record<string, unknown>>;
}

/** `args` as `process.ts` takes them. */
export async function startManagerProcess(args: readonly string[] = []): Promise<ManagerProcess> {
  let { child, lines, address } = await launch(0, args);
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  let turn: Promise<unknown> = Promise.resolve();
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  return {
    address,
    kill,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async restart() {
      await kill();
      ({ child, lines, address } = await launch(port, args));
    },
    tell(command) {
      const told = turn.then(() => ask(child, lines, command));
      turn = told.catch(() => undefined);
      return told;
    },
  };
}

/** Lines come in the order of the commands: one question at a time. */
async function ask(
  child: ChildProcess,
  lines: Interface,
  command: ManagerCommand,
): Promise<Record<string, unknown>> {
  const answered = new AbortController();
  const { signal } = answered;
  const answer = once(lines, 'line', { signal }) as Promise<[string]>;
  const ended = once(child, 'exit', { signal }).then((): never => {
    throw new Error('the manager process has ended');
  });
  answer.catch(() => undefined);
  ended.catch(() => undefined);
  child.stdin?.write(`${JSON.stringify(command)}\n`);
  try {
    const [line] = await Promise.race([answer, ended]);
    return JSON.parse(line);
  } finally {
    answered.abort();
  }
}

interface Launched {
  readonly child: ChildProcess;
  readonly lines: Interface;
  readonly address: string;
}

async function launch(port: number, args: readonly string[]): Promise<Launched> {
  const child = spawn(process.execPath, [ENTRY, '--port', String(port), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const ready = once(lines, 'line') as Promise<[string]>;
  const ended = once(child, 'exit').then(([code]): never => {
    throw new Error(`the manager process ended with ${code} before it was ready`);
  });
  const [line] = await Promise.race([ready, ended]);
  ended.catch(() => undefined);
  return { child, lines, address: (JSON.parse(line) as { address: string }).address };
}
