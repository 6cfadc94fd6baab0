import { Life } from './life.js';
import type { Age, Program, Surroundings } from './program.js';

/** Kubernetes' back-off: the first restart at once, then 10 s, doubled each time, at most 5 min (its documentation). */
const FIRST_BACKOFF_MS = 10_000;
const MAX_BACKOFF_MS = 300_000;
/** After so long without a failure the back-off starts anew. */
const FORGIVEN_AFTER_MS = 600_000;

export type PodState = 'idle' | 'running' | 'back-off' | 'stopped';

/** Runs a program and starts it again when it exits, as Kubernetes does. */
export class Pod {
  readonly around: Surroundings;
  readonly #program: Program;
  #life: Life | undefined;
  #done: Promise<void> = Promise.resolve();
  state: PodState = 'idle';

  constructor(program: Program, around: Surroundings) {
    this.#program = program;
    this.around = around;
  }

  /** Starts after `delayMs` (scaled already). */
  start(age: Age, delayMs = 0): void {
    const life = new Life(this.around.pace.clock);
    this.#life = life;
    this.#done = this.#run(life, age, delayMs);
  }

  /** A rollout: the old process is ended, a fresh one takes its place under the same name. */
  async replace(): Promise<void> {
    await this.#end();
    if (this.state !== 'stopped') this.start('fresh');
  }

  /** For good. */
  async stop(): Promise<void> {
    this.state = 'stopped';
    await this.#end();
    this.state = 'stopped';
  }

  async #end(): Promise<void> {
    this.#life?.end();
    await this.#done;
  }

  async #run(life: Life, age: Age, delayMs: number): Promise<void> {
    const { pace, counters, who } = this.around;
    if (delayMs > 0 && !(await life.sleep(delayMs))) return;
    for (let failures = 0, next = age; ; next = 'fresh') {
      const startedMs = pace.clock.nowMs();
      this.state = 'running';
      if ((await this.#runOnce(life, next)) === 'ended') return;
      counters().exit(who);
      this.state = 'back-off';
      if (pace.clock.nowMs() - startedMs > pace.scaled(FORGIVEN_AFTER_MS)) failures = 0;
      if (!(await life.sleep(pace.scaled(backoffMs(failures++))))) return;
    }
  }

  /** Each run has a life of its own, so that what it opened is closed when it exits. */
  async #runOnce(life: Life, age: Age): Promise<'exited' | 'ended'> {
    const run = new Life(this.around.pace.clock);
    const end = (): void => run.end();
    life.own(end);
    const exit = await this.#program(this.around, run, age);
    life.release(end);
    return life.ended ? 'ended' : exit;
  }
}

function backoffMs(failures: number): number {
  return failures === 0 ? 0 : Math.min(FIRST_BACKOFF_MS * 2 ** (failures - 1), MAX_BACKOFF_MS);
}
