import { GoCaller } from './go-caller.js';
import { refreshLoop } from './go-daemon.js';
import { keepBeating } from './keep-alive-beats.js';
import type { Life } from './life.js';
import { keepAlive, listSchedulers, listSeedPeers, schedulerCount, updateSeedPeer } from './messages.js';
import type { Age, Exit, Surroundings } from './program.js';

/** A dfget daemon v2.1.x as seed peer, v1: what a daemon does, and registration, KeepAlive and its fellows' list. */
export async function seedPeer(around: Surroundings, life: Life, age: Age): Promise<Exit> {
  const { who, lack } = around;
  lack.begin();
  const caller = new GoCaller(around, life);
  if (!(await start(around, caller))) {
    if (life.ended) return 'ended';
    life.end();
    return 'exited';
  }
  lack.end();
  const beating = keepBeating(around, life, caller.client, keepAlive('manager.Manager', who));
  await refreshLoop(around, life, caller, age, () => caller.call(listSeedPeers(who)));
  await beating;
  return 'ended';
}

async function start({ who }: Surroundings, caller: GoCaller): Promise<boolean> {
  if (!(await caller.checkHealth())) return false;
  if (!(await caller.call(updateSeedPeer(who)))) return false;
  const asked = listSchedulers('manager.Manager', who);
  const listed = await caller.call(asked, (body) => schedulerCount(asked, body) === 0);
  await caller.call(listSeedPeers(who));
  return listed;
}
