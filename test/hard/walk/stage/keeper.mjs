// Outlives the process that started it by a moment: when that has gone, however it went, every process that was named here is killed,
// and the directory removed. Lines on stdin: "+pid", "-pid".
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [directory] = process.argv.slice(2);
const pids = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1));
  if (line.startsWith('+')) pids.add(pid);
  else pids.delete(pid);
}
for (const pid of pids) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone by itself.
  }
}
rmSync(directory, { recursive: true, force: true });
