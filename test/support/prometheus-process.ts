import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A real Prometheus that scrapes one target each second. Needs Debian's prometheus. */
export interface PrometheusProcess {
  /** Value of an instant query, by its labels as JSON text; NaN and infinities as they are. */
  query(expression: string): Promise<ReadonlyMap<string, number>>;
  /** Resolves once another scrape has been taken in. */
  scraped(): Promise<void>;
  stop(): Promise<void>;
}

const SCRAPE_SECONDS = 1;

type Queried = { data: { result: { metric: object; value: [number, string] }[] } };

/** `target`: host:port of a `/metrics`. */
export async function startPrometheus(target: string): Promise<PrometheusProcess> {
  const dir = await mkdtemp(join(tmpdir(), 'dfmgw-prometheus-'));
  const port = await freePort();
  const config = `global: { scrape_interval: ${SCRAPE_SECONDS}s }
scrape_configs: [{ job_name: gateway, static_configs: [{ targets: ["${target}"] }] }]
`;
  await writeFile(join(dir, 'prometheus.yml'), config);
  const child = await launch(dir, port);
  const api = async (path: string): Promise<Queried> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    return (await response.json()) as Queried;
  };
  const query = async (expression: string): Promise<ReadonlyMap<string, number>> => {
    const { data } = await api(`query?query=${encodeURIComponent(expression)}`);
    return new Map(data.result.map(({ metric, value }) => [JSON.stringify(metric), Number(value[1])]));
  };
  const scrapes = async (): Promise<number> =>
    [...(await query('count_over_time(up{job="gateway"}[1h])')).values()][0] ?? 0;
  return {
    query,
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
