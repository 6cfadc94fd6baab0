import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { ManagerVersion } from './manager-version.js';
import { type ManagerCommand, runCommand } from './process-command.js';
import { seedFromRecordings } from './recorded-rows.js';
import { type SimulatedManager, startSimulatedManager } from './simulated-manager.js';

/**
 * A simulated manager as a process of its own, for what can only be done to a process: SIGKILL and SIGSTOP.
 *
 *   node dist/simulator/manager/process.js --port 0 --version v2.5.1 --time-factor 10
 *
 * It prints {"address","port","pid"} when it listens, then one line of JSON for each line of JSON on stdin
 * (see `ManagerCommand`). It ends when stdin does, so that it cannot outlive the test that started it.
 */
function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function start(): Promise<SimulatedManager> {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '0' },
      version: { type: 'string', default: 'v2.5.1' },
      'time-factor': { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
      /** That many active schedulers more than the recorded ones. */
      schedulers: { type: 'string', default: '0' },
      /** `false`: no nodes but those of --schedulers. */
      'recorded-nodes': { type: 'string', default: 'true' },
      'connection-age-ms': { type: 'string' },
      'sweep-interval-ms': { type: 'string' },
    },
  });
  const version = versionOf(values.version);
  const record = seedFromRecordings({ version, nodes: values['recorded-nodes'] !== 'false' });
  record.addSchedulers(Number(values.schedulers));
  const ageMs = values['connection-age-ms'];
  const sweepMs = values['sweep-interval-ms'];
  return startSimulatedManager({
    host: values.host,
    port: Number(values.port),
    version,
    timeFactor: Number(values['time-factor']),
    seed: Number(values.seed),
    record,
    ...(ageMs === undefined ? {} : { connectionAgeMs: Number(ageMs) }),
    ...(sweepMs === undefined ? {} : { sweepIntervalMs: Number(sweepMs) }),
  });
}

function versionOf(text: string): ManagerVersion {
  if (text === 'v2.5.1' || text === 'v2.1.55') return text;
  throw new Error(`--version: ${text} is neither v2.5.1 nor v2.1.55`);
}

const manager = await start();
say({ address: manager.address, port: manager.port, pid: process.pid });

for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === '') continue;
  try {
    // What the test sends is typed where it is sent.
    say(await runCommand(manager, JSON.parse(line) as ManagerCommand));
  } catch (error) {
    say({ error: String(error) });
  }
}
await manager.stop();
