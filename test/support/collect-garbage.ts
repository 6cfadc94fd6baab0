import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** All garbage of this process: what a weak reference was asked for is kept until the turn ends. */
export async function collectGarbage(): Promise<void> {
  await turn();
  collect();
}
