import type { Life } from './life.js';
import { ManagerClient, type ReconnectBackoff } from './manager-client.js';
import { healthCheck, isServing, listSchedulers, type Message, schedulerCount } from './messages.js';
import type { Pace } from './pace.js';
import type { Age, Exit, Surroundings } from './program.js';

const POLL_INTERVAL_MS = 60_000;
const CONNECT_TIMEOUT_MS = 3_000;
const CALL_DEADLINE_MS = 10_000;
/** Different parts of the daemon each ask on their own as it starts. */
const LISTS_AT_START = 3;

/** v2, client v1.5.1. Exits when anything of its start fails; later it keeps the list it has. */
export async function rustDaemon(around: Surroundings, life: Life, age: Age): Promise<Exit> {
  const { pace, lack, random, who } = around;
  lack.begin();
  const client = openClient(around, life);
  const asked = listSchedulers('manager.v2.Manager', who);
  const started = (await checkHealth(around, life)) && (await firstLists(around, client, asked));
  if (life.ended) return 'ended';
  if (!started) {
    life.end();
    return 'exited';
  }
  lack.end();
  const firstWaitMs = POLL_INTERVAL_MS * (age === 'fresh' ? 1 : random());
  for (let waitMs = firstWaitMs; await life.sleep(pace.scaled(waitMs)); waitMs = POLL_INTERVAL_MS) {
    await list(around, client, asked);
  }
  return 'ended';
}

/** On a connection of its own, which is given up afterwards. */
async function checkHealth(around: Surroundings, life: Life): Promise<boolean> {
  const { pace, counters, who } = around;
  const client = openClient(around, life);
  await client.connect(pace.scaled(CONNECT_TIMEOUT_MS));
  // A channel that did not connect fails the call by itself, with the status that counts.
  const outcome = await client.unary(healthCheck(), pace.scaled(CALL_DEADLINE_MS));
  client.close();
  if (life.ended) return false;
  return counters().call(who.cohort, 'Check', outcome) && isServing(outcome.body);
}

async function firstLists(around: Surroundings, client: ManagerClient, asked: Message): Promise<boolean> {
  await client.connect(around.pace.scaled(CONNECT_TIMEOUT_MS));
  for (let nth = 0; nth < LISTS_AT_START; nth++) {
    if (!(await list(around, client, asked))) return false;
  }
  return true;
}

async function list(around: Surroundings, client: ManagerClient, asked: Message): Promise<boolean> {
  const { pace, counters, who } = around;
  const outcome = await client.unary(asked, pace.scaled(CALL_DEADLINE_MS));
  if (client.closed) return false;
  return counters().call(who.cohort, asked.label, outcome, schedulerCount(asked, outcome.body) === 0);
}

function openClient({ managerAddress, pace, counters }: Surroundings, life: Life): ManagerClient {
  const client = new ManagerClient(managerAddress, { clock: pace.clock, backoff: eager(pace) });
  counters().channelOpened();
  life.own(() => client.close());
  return client;
}

/** The Rust client connects anew with the next call, without backing off. */
function eager(pace: Pace): ReconnectBackoff {
  return { initialMs: pace.scaled(100), maxMs: pace.scaled(1_000) };
}
