import { appendFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../../src/simulator/free-port.js';
import { type GatewayProcess, runGateway } from '../../../support/gateway-process.js';
import { gatewaySettings } from '../settings.js';
import type { Keeper } from './keeper.js';

const WALL_CLOCK = new URL('../../../support/wall-clock.mjs', import.meta.url).href;
const HEADROOM_LINES = 500;
const METRICS_LIMIT_MS = 5_000;
const STILL_GAUGE = /^\w*nodejs_eventloop_lag_max_seconds(?:{.*})? (\S+)/m;

/** One gateway process after the other on one address and one directory, as in a pod. */
export interface Replica {
  readonly name: string;
  readonly address: string;
  /** Counts its processes: what one of them promised about its memory the next one has not. */
  readonly life: number;
  readonly running: boolean;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** From now on its end is wanted, however it comes. */
  abandon(): void;
  /** SIGTERM; resolves with the exit code. */
  drain(): Promise<number | string>;
  freeze(): void;
  thaw(): void;
  /** The wall clock, by hours. */
  jump(): void;
  metrics(): Promise<string>;
  /** How long its event loop stood still at the most since the last asking, ms; where it does not say even that, long. */
  stillMs(): Promise<number>;
  /** Of the process. */
  footprint(): { readonly descriptors: number; readonly residentMib: number };
  /** Writes the log down, and forgets it; what the process said in despair. */
  collect(): string;
}

export interface ReplicaOptions {
  readonly index: number;
  readonly managers: readonly string[];
  readonly sentinels: readonly string[];
  readonly directory: string;
  readonly logs: string;
  readonly keeper: Keeper;
  /** It has ended, and nobody here wanted that. */
  died(name: string, code: number | string, stderr: string): void;
}

export async function createReplica(options: ReplicaOptions): Promise<Replica> {
  return new ReplicaProcess(options, await freePort(), await freePort());
}

class ReplicaProcess implements Replica {
  readonly name: string;
  readonly address: string;
  readonly #metrics: string;
  readonly #options: ReplicaOptions;
  readonly #log: string;
  #process: GatewayProcess | undefined;
  /** The last one that has come up. */
  #started: GatewayProcess | undefined;
  #written = 0;
  life = 0;

  constructor(options: ReplicaOptions, port: number, metricsPort: number) {
    this.#options = options;
    this.name = `replica-${options.index}`;
    this.address = `127.0.0.1:${port}`;
    this.#metrics = `127.0.0.1:${metricsPort}`;
    mkdirSync(options.logs, { recursive: true });
    this.#log = join(options.logs, `${this.name}.log`);
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  async start(): Promise<void> {
    const { managers, sentinels, directory, keeper } = this.#options;
    const settings = [
      ...gatewaySettings(),
      `server.listen=${this.address}`,
      `metrics.addr=${this.#metrics}`,
      `managers.addrs=${JSON.stringify(managers)}`,
      `redis.addrs=${JSON.stringify(sentinels)}`,
      ...['redis.mode=sentinel', 'redis.masterName=main'],
      `snapshot.dir=${join(directory, this.name)}`,
    ];
    const args = ['serve', '--config', '/dev/null', ...settings.flatMap((setting) => ['--set', setting])];
    const process = runGateway(args, { NODE_OPTIONS: `--import ${WALL_CLOCK}` });
    keeper.keep(process.child);
    this.#process = process;
    this.#written = 0;
    this.life += 1;
    void process.exited.then((code) => {
      if (this.#process !== process) return;
      this.#process = undefined;
      this.#options.died(this.name, code, process.stderr());
    });
    try {
      await process.line({ event: 'started' });
      this.#started = process;
    } catch (error) {
      // Somebody killed it on its way up, and starts it again; or it ended by itself, which has been told.
      if (this.#process === process) throw error;
    }
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  abandon(): void {
    this.collect();
    this.#process = undefined;
  }

  async drain(): Promise<number | string> {
    // On its way up it does not listen to that signal yet, and ends by it: nothing has begun that could be drained.
    const isUp = this.#started === this.#process;
    const code = await this.#end('SIGTERM');
    return code === 'SIGTERM' && !isUp ? 0 : code;
  }

  freeze(): void {
    this.#process?.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.child.kill('SIGCONT');
  }

  jump(): void {
    // Before it listens to that signal it would end by it.
    if (this.#started === this.#process) this.#process?.child.kill('SIGUSR2');
  }

  async metrics(): Promise<string> {
    const scrape = async (): Promise<string> => {
      const signal = AbortSignal.timeout(METRICS_LIMIT_MS);
      return (await fetch(`http://${this.#metrics}/metrics`, { signal })).text();
    };
    // The connection of the last time may be closed just now.
    return scrape().catch(scrape);
  }

  async stillMs(): Promise<number> {
    if (!this.running) return 0;
    const text = await this.metrics().catch(() => '');
    return 1_000 * Number(STILL_GAUGE.exec(text)?.[1] ?? METRICS_LIMIT_MS / 1_000);
  }

  footprint(): { descriptors: number; residentMib: number } {
    const home = `/proc/${this.#process?.child.pid}`;
    const residentKib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`${home}/status`, 'utf8'))?.[1]);
    return { descriptors: readdirSync(`${home}/fd`).length, residentMib: residentKib / 1024 };
  }

  collect(): string {
    const process = this.#process;
    if (process === undefined) return '';
    this.#write(process);
    // The newest stay, for whoever waits for one of them.
    process.lines.splice(0, Math.max(0, process.lines.length - HEADROOM_LINES));
    this.#written = process.lines.length;
    return process.stderr();
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | string> {
    const process = this.#process;
    if (process === undefined) return 0;
    // From now on its end is wanted.
    this.#process = undefined;
    process.child.kill(signal);
    const code = await process.exited;
    this.#write(process);
    return code;
  }

  #write({ lines }: GatewayProcess): void {
    const fresh = lines.slice(this.#written).map((line) => JSON.stringify({ life: this.life, ...line }));
    if (fresh.length > 0) appendFileSync(this.#log, `${fresh.join('\n')}\n`);
  }
}
