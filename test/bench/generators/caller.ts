import { nextLine, run, type Started, start, stop } from '../processes.js';

const BINARY = '.bench/bin/bench-caller';

/** Runs a command of the Go caller to its end, and gives what it said last. */
export async function call(args: readonly string[], cores: string): Promise<Record<string, number>> {
  const lines = (await run(BINARY, args, cores)).split('\n');
  return JSON.parse(lines.at(-1) ?? '') as Record<string, number>;
}

/** One that goes on until it is dismissed. */
export interface Ongoing {
  /** What it said once it was under way. */
  readonly begun: Record<string, number>;
  /** Lets it go, and gives what it says at the end. */
  dismiss(): Promise<Record<string, number>>;
}

export async function begin(args: readonly string[], cores: string): Promise<Ongoing> {
  const started = start(BINARY, args, cores);
  const begun = await nextLine(started);
  return {
    begun,
    async dismiss() {
      started.child.stdin?.end();
      const last = await nextLine(started);
      await stop(started);
      return last;
    },
  };
}

/** One whose every line is wanted, as it comes. */
export function listenTo(args: readonly string[], cores: string): Started {
  return start(BINARY, args, cores);
}
