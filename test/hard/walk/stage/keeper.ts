import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('keeper.mjs', import.meta.url));

/** Sees to it that nothing of a walk outlives it, also when the walk itself is killed. */
export interface Keeper {
  /** Until it has exited. Known ones are known. */
  keep(child: ChildProcess): void;
  /** Kills what is left, and removes the directory. */
  stop(): Promise<void>;
}

export function startKeeper(directory: string): Keeper {
  // Detached: a Ctrl-C in the terminal is not for it.
  const keeper = spawn(process.execPath, [ENTRY, directory], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  });
  keeper.unref();
  const known = new WeakSet<ChildProcess>();
  const exited = once(keeper, 'exit');
  const say = (line: string): void => void keeper.stdin?.write(`${line}\n`);
  return {
    keep(child) {
      const { pid } = child;
      if (pid === undefined || known.has(child)) return;
      known.add(child);
      say(`+${pid}`);
      child.once('exit', () => say(`-${pid}`));
    },
    async stop() {
      keeper.stdin?.end();
      await exited;
    },
  };
}
