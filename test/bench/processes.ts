import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** How long a process may take to end after it was asked to. */
const END_WITHIN_MS = 5_000;

export interface Started {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Lines of its standard output, as they come. */
  readonly lines: AsyncIterableIterator<string>;
  readonly exited: Promise<void>;
}

const running = new Set<Started>();

/** Starts a process that ends with this one, on the given cores (taskset's list; '' anywhere). */
export function start(command: string, args: readonly string[], cores: string): Started {
  const [program, ...rest] = cores === '' ? [command, ...args] : ['taskset', '-c', cores, command, ...args];
  const child = spawn(program as string, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk).slice(-4_096);
  });
  child.stdin.on('error', () => {});
  const exited = once(child, 'exit').then(
    () => undefined,
    () => undefined,
  );
  if (child.pid === undefined) throw new Error(`${command} cannot be started`);
  const started: Started = {
    pid: child.pid,
    child,
    lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](),
    exited,
  };
  running.add(started);
  void exited.then(() => {
    running.delete(started);
    const expected = child.exitCode === 0 || child.killed;
    if (!expected)
      process.stderr.write(`${command} ended with ${child.exitCode ?? child.signalCode}: ${said}\n`);
  });
  return started;
}

/** Asks it to end, and waits until it has; kills it if it does not. */
export async function stop({ child, exited }: Started): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  child.kill('SIGCONT');
  const timer = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
  await exited;
  clearTimeout(timer);
}

/** Runs it to its end, and gives what it printed. Rejects if it fails. */
export async function run(command: string, args: readonly string[], cores: string): Promise<string> {
  const started = start(command, args, cores);
  const said: string[] = [];
  for await (const line of started.lines) said.push(line);
  await started.exited;
  if (started.child.exitCode !== 0) throw new Error(`${command} ended with ${started.child.exitCode}`);
  return said.join('\n');
}

/** The next line of JSON it prints. */
export async function nextLine(started: Started): Promise<Record<string, number>> {
  const { value, done } = await started.lines.next();
  if (done) throw new Error('a process ended before it said anything');
  return JSON.parse(value) as Record<string, number>;
}

/** Nothing that was started outlives this process, however it ends. */
export function endAllWithThisProcess(): void {
  const kill = (): void => {
    for (const { child } of running) child.kill('SIGKILL');
  };
  process.on('exit', kill);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(signal, () => process.exit(code));
  }
}
