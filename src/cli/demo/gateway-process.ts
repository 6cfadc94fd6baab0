import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { GatewayFigures } from './figures.js';
import { gatewayConfig } from './gateway-config.js';
import { gatewayFigures } from './gateway-figures.js';
import { TIME_FACTOR } from './script.js';
import { within } from './within.js';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));
const START_DEADLINE_MS = 15_000;
const SCRAPE_DEADLINE_MS = 2_000;
const EXIT_DEADLINE_MS = 4_000;
/** Of its log, to show when it does not start. */
const KEPT_LINES = 20;

/** `host:port`, each. */
interface Started {
  readonly listen: string;
  readonly metrics: string;
}

/** The gateway as users run it: the real command, with a configuration file, in a process of its own. */
export class GatewayProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #metricsUrl: string;
  readonly address: string;
  #last: GatewayFigures = { hit: 0, stale: 0, miss: 0, forwarded: 0, local: 0, refused: 0 };

  private constructor(child: ChildProcess, exited: Promise<void>, { listen, metrics }: Started) {
    this.#child = child;
    this.#exited = exited;
    this.address = listen;
    this.#metricsUrl = `http://${metrics}/metrics`;
  }

  static async start(managerAddress: string): Promise<GatewayProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'manager-gateway-demo-'));
    const file = join(directory, 'manager-gateway.yaml');
    try {
      await writeFile(file, gatewayConfig({ managerAddress, timeFactor: TIME_FACTOR }));
      const { child, exited } = serve(file);
      const log = keepLog(child);
      try {
        const listening = Promise.race([
          log.started,
          exited.then(() => Promise.reject(new Error('it ended'))),
        ]);
        const started = await within(START_DEADLINE_MS, 'the gateway to start', listening);
        return new GatewayProcess(child, exited, started);
      } catch (cause) {
        child.kill('SIGKILL');
        throw new Error(`the gateway did not start:\n${log.lines.join('\n')}`, { cause });
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** From /metrics; the figures before, when they cannot be had. */
  async report(): Promise<GatewayFigures> {
    try {
      const response = await fetch(this.#metricsUrl, { signal: AbortSignal.timeout(SCRAPE_DEADLINE_MS) });
      if (response.ok) this.#last = gatewayFigures(await response.text());
    } catch {
      // It may be on its way out, after Ctrl-C; what was last seen is what there is to show.
    }
    return this.#last;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await within(EXIT_DEADLINE_MS, 'the gateway to end', this.#exited).catch(() =>
      this.#child.kill('SIGKILL'),
    );
  }
}

function serve(configFile: string): { child: ChildProcess; exited: Promise<void> } {
  const child = spawn(process.execPath, [MAIN, 'serve', '--config', configFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: ownEnvironment(),
  });
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  exited.then(() => process.off('exit', killWithUs));
  return { child, exited };
}

/** Whatever configures a gateway on this machine is not meant for this one. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('DFMGW__'));
  return Object.fromEntries(kept);
}

/** Reads the log to its end, so that the gateway never waits for a reader. */
function keepLog({ stdout, stderr }: ChildProcess): { lines: string[]; started: Promise<Started> } {
  const lines: string[] = [];
  const keep = (line: string): void => {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
  };
  const started = new Promise<Started>((resolve) => {
    if (!stdout || !stderr) return;
    createInterface({ input: stderr }).on('line', keep);
    createInterface({ input: stdout }).on('line', (line) => {
      keep(line);
      const said = startedLine(line);
      if (said !== undefined) resolve(said);
    });
  });
  return { lines, started };
}

/** Where it can be reached, from the log line that says that the gateway has started. */
function startedLine(line: string): Started | undefined {
  if (!line.includes('"started"')) return undefined;
  const fields = JSON.parse(line) as Partial<Record<string, unknown>>;
  if (fields.event !== 'started') return undefined;
  return { listen: String(fields.listen), metrics: String(fields.metrics) };
}
