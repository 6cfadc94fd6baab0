// Wants a directory, and says what became of it: one line of JSON for each event, then whether it has it. Ends when its input does.
import { writeSync } from 'node:fs';
import { systemBootClock } from '../../dist/durable/boot-clock.js';
import { createOwnDirectory } from '../../dist/durable/own-directory.js';
import { systemClock } from '../../dist/rpc/clock.js';

const say = (value) => writeSync(1, `${JSON.stringify(value)}\n`);
const directory = createOwnDirectory({
  dir: process.argv[2],
  fleetId: 'f',
  bootId: systemBootClock()?.bootId,
  clock: systemClock,
  emit: say,
});
await directory.take();
say({ held: directory.held, pid: process.pid });
process.stdin.resume();
process.stdin.on('end', async () => {
  await directory.release();
  process.exit(0);
});
