import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../../src/simulator/free-port.js';
import { ALERTS } from './queries.js';

/** A real Prometheus that scrapes in a hurry. Needs Debian's prometheus. */
export interface PrometheusProcess {
  /** Value of an instant query, by its labels as JSON text; NaN and infinities as they are. */
  query(expression: string): Promise<ReadonlyMap<string, number>>;
  /** The values of a query over the last `seconds`, two a second, by the labels of its series. */
  history(expression: string, seconds: number): Promise<ReadonlyMap<string, readonly number[]>>;
  /** Resolves once another scrape has been taken in. */
  scraped(): Promise<void>;
  stop(): Promise<void>;
}

const INTERVAL = '1s';

export interface PrometheusOptions {
  /** A file of rules, as text. */
  readonly rules?: string;
  /** The whole configuration, as text, in the place of that which `targets` and `interval` make. `alerts.yaml` beside it is ours. */
  readonly config?: string;
  /** Between scrapes, and between two evaluations of the rules. Default 1s. */
  readonly interval?: string;
}

interface Series<T> {
  readonly metric: object;
  readonly value: [number, T];
  readonly values: [number, T][];
}
type Queried = { status: string; error?: string; data: { result: Series<string>[] } };

/** `targets`: host:port of each `/metrics`. */
export async function startPrometheus(
  targets: string | readonly string[],
  { rules = 'groups: []', interval = INTERVAL, config }: PrometheusOptions = {},
): Promise<PrometheusProcess> {
  const dir = await mkdtemp(join(tmpdir(), 'dfmgw-prometheus-'));
  const port = await freePort();
  // JSON is YAML.
  const ours = {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: ['rules.yml'],
    scrape_configs: [{ job_name: 'gateway', static_configs: [{ targets: [targets].flat() }] }],
  };
  await writeFile(join(dir, 'prometheus.yml'), config ?? JSON.stringify(ours));
  await copyFile(ALERTS, join(dir, 'alerts.yaml'));
  await writeFile(join(dir, 'rules.yml'), rules);
  const child = await launch(dir, port);
  const api = async (path: string): Promise<Series<string>[]> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const said = (await response.json()) as Queried;
    if (said.status !== 'success') throw new Error(said.error);
    return said.data.result;
  };
  const query = async (expression: string): Promise<ReadonlyMap<string, number>> => {
    const result = await api(`query?query=${encodeURIComponent(expression)}`);
    return new Map(result.map(({ metric, value }) => [JSON.stringify(metric), Number(value[1])]));
  };
  const scrapes = async (): Promise<number> =>
    [...(await query('count_over_time(up{job="gateway"}[1h])')).values()][0] ?? 0;
  return {
    query,
    async history(expression, seconds) {
      const end = Date.now() / 1000;
      const range = `query=${encodeURIComponent(expression)}&start=${end - seconds}&end=${end}&step=0.5`;
      const result = await api(`query_range?${range}`);
      return new Map(
        result.map(({ metric, values }) => [
          JSON.stringify(metric),
          values.map(([, value]) => Number(value)),
        ]),
      );
    },
    async scraped() {
      const before = await scrapes();
      // One that was under way may have begun before what is to be seen.
      while ((await scrapes()) < before + 2) await new Promise((resolve) => setTimeout(resolve, 100));
    },
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function launch(dir: string, port: number): Promise<ChildProcess> {
  const args = [
    `--config.file=${join(dir, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(dir, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`prometheus ended with ${code}`)));
    lines.on('line', (line) => {
      if (line.includes('Server is ready to receive web requests')) resolve();
    });
  });
  return child;
}
