/**
 * Loaded before a gateway (`node --import`): on SIGUSR2 it collects its garbage, and says how much is in use then, and how many timers and sockets
 * there are, those included that keep no process alive.
 */
import { Socket } from 'node:net';
import { queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const none = setTimeout(() => undefined, 0);
clearTimeout(none);
const Timeout = none.constructor;
let times = 0;

process.on('SIGUSR2', () => {
  collect();
  const { heapUsed: heapBytes } = process.memoryUsage();
  const [timers, sockets] = [Timeout, Socket].map((kind) => queryObjects(kind));
  process.stdout.write(
    `${JSON.stringify({ event: 'looked', times: ++times, heapBytes, timers, sockets })}\n`,
  );
});
