import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis, type RedisOptions } from 'ioredis';
import { freePort } from '../../src/simulator/free-port.js';
import type { Certificates } from './certificates.js';

/** A real redis-server in a process of its own. Needs Debian's redis-server. */
export interface RedisProcess {
  readonly child: ChildProcess;
  readonly port: number;
  readonly address: string;
  /** A connection of the test's own. */
  client(options?: Omit<RedisOptions, 'replyMapping'>): Redis;
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** A new process on the same port, empty, or with what was last saved; a Sentinel with what it has found out. */
  restart(): Promise<void>;
  /** What was saved is not there for the next start. */
  loseDump(): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisProcessOptions {
  /** Default: any free one. */
  readonly port?: number;
  readonly args?: readonly string[];
  /** Runs as Sentinel with these lines of configuration. */
  readonly sentinel?: readonly string[];
  readonly password?: string;
  /** Speaks TLS only, to replicas and Sentinels, too; `clientAuth`: and wants a certificate of who dials, as Redis does by default. */
  readonly tls?: { readonly certificates: Certificates; readonly clientAuth: boolean };
}

export async function startRedis(options: RedisProcessOptions = {}): Promise<RedisProcess> {
  const port = options.port ?? (await freePort());
  const dir = await mkdtemp(join(tmpdir(), 'dfmgw-redis-'));
  const clients: Redis[] = [];
  let child = await launch(port, dir, options);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  return {
    get child() {
      return child;
    },
    port,
    address: `127.0.0.1:${port}`,
    client(more = {}) {
      const { password, tls } = options;
      const made = new Redis({
        port,
        host: '127.0.0.1',
        ...(password && { password }),
        ...(tls && { tls: { ca: tls.certificates.caCert, ...tls.certificates.client } }),
        ...more,
      });
      made.on('error', () => undefined);
      clients.push(made);
      return made;
    },
    kill,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async restart() {
      await kill();
      child = await launch(port, dir, options);
    },
    loseDump: () => rm(join(dir, 'dump.rdb'), { force: true }),
    async stop() {
      for (const client of clients) client.disconnect();
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function tlsArgs(
  dir: string,
  { certificates, clientAuth }: NonNullable<RedisProcessOptions['tls']>,
): Promise<string[]> {
  const { caCert, server } = certificates;
  const files = { 'ca-cert': caCert, cert: server.cert, key: server.key };
  const args: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    const file = join(dir, `${name}.pem`);
    await writeFile(file, text);
    args.push(`--tls-${name}-file`, file);
  }
  const both = ['--tls-replication', 'yes', '--tls-cluster', 'yes'];
  return [...args, ...both, '--tls-auth-clients', clientAuth ? 'yes' : 'no'];
}

async function launch(port: number, dir: string, options: RedisProcessOptions): Promise<ChildProcess> {
  const tls = options.tls === undefined ? [] : await tlsArgs(dir, options.tls);
  const ports = options.tls === undefined ? ['--port'] : ['--port', '0', '--tls-port'];
  const common = [...ports, String(port), '--bind', '127.0.0.1', '--dir', dir, '--daemonize', 'no', ...tls];
  let args: string[];
  if (options.sentinel === undefined) {
    const password = options.password === undefined ? [] : ['--requirepass', options.password];
    args = [...common, '--save', '', '--appendonly', 'no', ...password, ...(options.args ?? [])];
  } else {
    const file = join(dir, 'sentinel.conf');
    // It writes there itself.
    if (!existsSync(file)) await writeFile(file, `${options.sentinel.join('\n')}\n`);
    args = [file, '--sentinel', ...common];
  }
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const seen: string[] = [];
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}: ${seen.join('\n')}`)));
    lines.on('line', (line) => {
      if (seen.length < 50) seen.push(line);
      if (/Ready to accept connections|Sentinel ID is/.test(line)) resolve();
    });
  });
  return child;
}
