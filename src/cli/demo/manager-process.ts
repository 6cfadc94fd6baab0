import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ManagerFigures } from './figures.js';
import type { ManagerCommand, ManagerNotice } from './manager-message.js';
import type { Phase } from './script.js';
import { within } from './within.js';

const HOST = fileURLToPath(new URL('./manager-host.js', import.meta.url));
const START_DEADLINE_MS = 15_000;
const COMMAND_DEADLINE_MS = 5_000;
const EXIT_DEADLINE_MS = 2_000;

type Waiting = { resolve(figures: ManagerFigures): void; reject(error: Error): void };

/** A simulated manager in a process of its own, so that neither slows the other down. */
export class ManagerProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  readonly address: string;
  #nextId = 0;

  private constructor(child: ChildProcess, address: string, exited: Promise<void>) {
    this.#child = child;
    this.address = address;
    this.#exited = exited;
    child.on('message', (notice: ManagerNotice) => this.#notice(notice));
    exited.then(() => this.#fail(new Error('the simulated manager has ended unexpectedly')));
  }

  static async start(seed: number): Promise<ManagerProcess> {
    const child = fork(HOST, [String(seed)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const killWithUs = (): void => void child.kill('SIGKILL');
    process.once('exit', killWithUs);
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    exited.then(() => process.off('exit', killWithUs));
    const listening = new Promise<string>((resolve, reject) => {
      child.once('message', (notice: ManagerNotice) =>
        notice.kind === 'listening' ? resolve(notice.address) : reject(new Error(JSON.stringify(notice))),
      );
      child.once('error', reject);
      exited.then(() => reject(new Error('it ended at once')));
    });
    try {
      const address = await within(START_DEADLINE_MS, 'the simulated manager to listen', listening);
      return new ManagerProcess(child, address, exited);
    } catch (cause) {
      child.kill('SIGKILL');
      throw new Error('the simulated manager did not start', { cause });
    }
  }

  /** Resolves once the manager is so. */
  become(state: Phase['manager']): Promise<ManagerFigures> {
    return this.#command({ kind: 'become', id: this.#nextId++, state });
  }

  report(): Promise<ManagerFigures> {
    return this.#command({ kind: 'report', id: this.#nextId++ });
  }

  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await within(EXIT_DEADLINE_MS, 'the simulated manager to end', this.#exited).catch(() =>
      this.#child.kill('SIGKILL'),
    );
  }

  #command(command: ManagerCommand): Promise<ManagerFigures> {
    const answer = new Promise<ManagerFigures>((resolve, reject) => {
      if (!this.#child.connected) throw new Error('the simulated manager is gone');
      this.#waiting.set(command.id, { resolve, reject });
      this.#child.send(command);
    });
    return within(COMMAND_DEADLINE_MS, `the simulated manager to ${command.kind}`, answer).finally(() =>
      this.#waiting.delete(command.id),
    );
  }

  #notice(notice: ManagerNotice): void {
    if (notice.kind === 'listening' || notice.id === undefined) return;
    const waiting = this.#waiting.get(notice.id);
    if (notice.kind === 'reported') waiting?.resolve(notice.figures);
    else waiting?.reject(new Error(notice.message));
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
  }
}
