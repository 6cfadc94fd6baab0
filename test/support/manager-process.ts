import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

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
}

export async function startManagerProcess(): Promise<ManagerProcess> {
  let { child, address } = await launch(0);
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
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
      ({ child, address } = await launch(port));
    },
  };
}

async function launch(port: number): Promise<{ child: ChildProcess; address: string }> {
  const child = spawn(process.execPath, [ENTRY, '--port', String(port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const ready = once(lines, 'line') as Promise<[string]>;
  const ended = once(child, 'exit').then(([code]): never => {
    throw new Error(`the manager process ended with ${code} before it was ready`);
  });
  const [line] = await Promise.race([ready, ended]);
  ended.catch(() => undefined);
  return { child, address: (JSON.parse(line) as { address: string }).address };
}
