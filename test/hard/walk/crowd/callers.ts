import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../../../../src/simulator/fleet/random.js';
import { CALL_DEADLINE_MS, CALL_INTERVAL_MS, SELDOM_INTERVAL_MS } from '../settings.js';
import { machineMs } from '../stage/monotonic.js';
import type { Asked } from './questions.js';
import { connect, type Outcome, type Place, type Session } from './session.js';

/** One call of a caller and what came of it. */
export interface Call {
  readonly asked: Asked;
  readonly replica: number;
  /** Of the replica's process; undefined: it may have been another one by the time it answered. */
  readonly life: number | undefined;
  readonly calledAtMs: number;
  readonly gotAtMs: number;
  readonly outcome: Outcome;
}

export interface CallersOptions {
  readonly questions: readonly Asked[];
  readonly random: Random;
  /** Where a connection lands. */
  place(): Place;
  lifeOf(replica: number): number;
  called(call: Call): void;
}

export interface Callers {
  stop(): Promise<void>;
}

/** Each has a connection and a question, and asks it again and again; one whose connection or call failed comes in anew. */
export function startCallers(options: CallersOptions): Callers {
  const stopping = new AbortController();
  // All of them wait for it.
  setMaxListeners(0, stopping.signal);
  const running = options.questions.map((asked) => run(options, asked, stopping.signal));
  return {
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

async function run(options: CallersOptions, asked: Asked, stopping: AbortSignal): Promise<void> {
  const { random } = options;
  const pause = (ms: number): Promise<unknown> =>
    wait(ms, undefined, { signal: stopping }).catch(() => undefined);
  let session: Session | undefined;
  await pause(random() * CALL_INTERVAL_MS);
  while (!stopping.aborted) {
    if (session === undefined || session.closed) session = connect(options.place());
    const { replica, life } = session;
    const calledAtMs = machineMs();
    const outcome = await session.call(asked.path, asked.request, CALL_DEADLINE_MS);
    const gotAtMs = machineMs();
    const same = options.lifeOf(replica) === life;
    options.called({ asked, replica, life: same ? life : undefined, calledAtMs, gotAtMs, outcome });
    if (outcome.code === -1) session.close();
    const intervalMs = asked.seldom === true ? SELDOM_INTERVAL_MS : CALL_INTERVAL_MS;
    await pause(intervalMs * (2 / 3 + random() * (2 / 3)));
  }
  session?.close();
}
