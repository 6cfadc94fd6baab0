// Writes registrations down as fast as it can, and says the number of each one once it is acknowledged. Killed from outside.
import { writeSync } from 'node:fs';
import { createBook } from '../../dist/registrations/book.js';
import { createJournal } from '../../dist/registrations/journal.js';

const [dir, from] = process.argv.slice(2);
const journal = createJournal({
  directory: { dir, held: true },
  fleetId: 'f',
  book: createBook(),
  compactBytes: 4_096,
});
await journal.open();
let next = Number(from);
const writeOn = async () => {
  for (;;) {
    const n = next++;
    const node = { kind: 'scheduler', source: 'SCHEDULER_SOURCE', clusterId: '1', hostname: `node-${n}` };
    const registration = {
      node,
      path: '/p',
      ip: '127.0.0.1',
      port: 8002,
      request: Buffer.from(`request ${n}`),
    };
    await journal.append({ kind: 'pending', registration, acknowledgedAtWallMs: n });
    // Some are settled at once, so that the file grows beyond what it says and is written anew.
    if (n % 3 > 0) await journal.append({ kind: 'settled', node });
    else writeSync(1, `${n}\n`);
  }
};
await Promise.all([writeOn(), writeOn(), writeOn()]);
