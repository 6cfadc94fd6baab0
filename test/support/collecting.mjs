/**
 * Loaded before a process (`node --import`): on SIGUSR2 it collects its garbage and says so, so that what is in use can be told from what
 * only was not collected yet.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
let times = 0;

process.on('SIGUSR2', () => {
  collect();
  process.stdout.write(`${JSON.stringify({ event: 'collected', times: ++times })}\n`);
});
