import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** The built command in a process of its own. Needs `npm run build`. */
export interface GatewayProcess {
  readonly child: ChildProcess;
  /** Lines of the log, parsed, as they come. */
  readonly lines: Record<string, unknown>[];
  readonly stderr: () => string;
  /** Resolves with the first line, past or to come, with these fields. */
  line(fields: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
}

/** `main`: of another build. */
export function runGateway(
  args: readonly string[],
  env: Record<string, string> = {},
  main = MAIN,
): GatewayProcess {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const lines: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (text) => {
    lines.push(text.startsWith('{') ? JSON.parse(text) : { text });
    for (const look of [...waiting]) look();
  });
  const exited = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  return {
    child,
    lines,
    stderr: () => stderr,
    exited,
    line(fields) {
      const found = () =>
        lines.find((one) => Object.entries(fields).every(([key, value]) => one[key] === value));
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const line = found();
          if (line === undefined) return;
          waiting.delete(look);
          resolve(line);
        };
        waiting.add(look);
        look();
        exited.then((code) =>
          reject(new Error(`it ended with ${code} and never said ${JSON.stringify(fields)}: ${stderr}`)),
        );
      });
    },
  };
}
