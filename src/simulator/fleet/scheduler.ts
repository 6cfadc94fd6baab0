import { GoCaller } from './go-caller.js';
import { keepBeating } from './keep-alive-beats.js';
import type { Life } from './life.js';
import { getScheduler, keepAlive, listApplications, updateScheduler } from './messages.js';
import type { Age, Exit, Surroundings } from './program.js';

const EXPIRES_AFTER_MS = 60_000;
/**
 * With an expired copy every download that is being scheduled asks again. A quiet cluster is assumed: one
 * download in 5 s.
 */
const SCHEDULING_INTERVAL_MS = 5_000;

/** v2. Exits when it cannot register; without a copy younger than 60 s it schedules with defaults. */
export async function scheduler(around: Surroundings, life: Life, age: Age): Promise<Exit> {
  const caller = new GoCaller(around, life);
  if (!(await caller.call(updateScheduler(around.who)))) {
    if (life.ended) return 'ended';
    life.end();
    return 'exited';
  }
  const beating = keepBeating(around, life, caller.client, keepAlive('manager.v2.Manager', around.who));
  await keepConfigured(around, life, caller, age);
  await beating;
  return 'ended';
}

async function keepConfigured(around: Surroundings, life: Life, caller: GoCaller, age: Age): Promise<void> {
  const { pace, lack, random, who } = around;
  for (let first = true; !life.ended; first = false) {
    lack.begin();
    // Both or nothing: the copy is renewed as a whole.
    const renewed = (await caller.call(getScheduler(who))) && (await caller.call(listApplications(who)));
    if (renewed) lack.end();
    const early = first && age === 'long-running' ? random() : 1;
    const waitMs = renewed ? EXPIRES_AFTER_MS * early : SCHEDULING_INTERVAL_MS;
    await life.sleep(pace.scaled(waitMs));
  }
}
