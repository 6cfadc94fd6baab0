import { GoCaller } from './go-caller.js';
import type { Life } from './life.js';
import { listSchedulers, schedulerCount } from './messages.js';
import type { Age, Exit, Surroundings } from './program.js';

const TICK_INTERVAL_MS = 10_000;
const EXPIRES_AFTER_MS = 600_000;

/** dfget daemon v2.1.x, v1. Exits when its start fails; later it keeps the list it has. */
export async function goDaemon(around: Surroundings, life: Life, age: Age): Promise<Exit> {
  around.lack.begin();
  const caller = new GoCaller(around, life);
  if (!(await caller.checkHealth()) || !(await list(around, caller))) {
    if (life.ended) return 'ended';
    life.end();
    return 'exited';
  }
  around.lack.end();
  await refreshLoop(around, life, caller, age);
  return 'ended';
}

/**
 * Every tick looks whether the list has expired. Once a refresh has failed each tick tries again, over a new
 * channel for the health check each time: a manager that says SERVING without a database is asked, connected to
 * and left 60 times as often as one that works.
 */
export async function refreshLoop(
  around: Surroundings,
  life: Life,
  caller: GoCaller,
  age: Age,
  andThen: () => Promise<unknown> = async () => {},
): Promise<void> {
  const { pace, random } = around;
  const expiresAfterMs = pace.scaled(EXPIRES_AFTER_MS);
  let refreshedAtMs = pace.clock.nowMs() - (age === 'fresh' ? 0 : random() * expiresAfterMs);
  let failing = false;
  while (await life.sleep(pace.scaled(TICK_INTERVAL_MS))) {
    if (pace.clock.nowMs() - refreshedAtMs < expiresAfterMs) continue;
    const reachable: boolean = !failing || (await caller.checkHealth());
    failing = !(reachable && (await list(around, caller)));
    if (!failing) refreshedAtMs = pace.clock.nowMs();
    await andThen();
  }
}

async function list(around: Surroundings, caller: GoCaller): Promise<boolean> {
  const asked = listSchedulers('manager.Manager', around.who);
  return await caller.call(asked, (body) => schedulerCount(asked, body) === 0);
}
