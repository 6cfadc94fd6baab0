import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type Caller, connectCaller } from './caller.js';
import { requestOf } from './data-path.js';
import { runGateway } from './gateway-process.js';
import { type ManagerProcess, startManagerProcess } from './manager-process.js';
import { type RedisProcess, startRedis } from './redis-process.js';
import { until } from './until.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const LIST = '/manager.v2.Manager/ListSchedulers';
const UPDATE = '/manager.v2.Manager/UpdateScheduler';
const KEEP_ALIVE = '/manager.v2.Manager/KeepAlive';
const TOKEN = 'a-token-of-the-pages';
const LIMIT_MS = 50_000;
/** The node that the pages name. */
const NODE = { hostname: 'scheduler-0', ip: '127.0.0.9' };

export interface Ran {
  readonly code: number | string | null;
  readonly out: string;
  readonly err: string;
}

/** A gateway that runs, with a manager, Redis, a token, a caller and a node: what the pages take for granted. */
export interface DocumentsWorld {
  /** Types it into bash, in the root of the repository, with the names of the pages put right. */
  run(command: string): Promise<Ran>;
  /** What is typed instead, for failures. */
  asTyped(command: string): string;
  stop(): Promise<void>;
}

interface Addresses {
  readonly listen: string;
  readonly admin: string;
  readonly metrics: string;
}

export async function startDocumentsWorld(): Promise<DocumentsWorld> {
  const ends: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ends.toReversed()) await end();
  };
  try {
    return { ...(await worldIn(ends)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** `ends`: gets how to end each thing, as soon as it has begun. */
async function worldIn(ends: (() => unknown)[]): Promise<Omit<DocumentsWorld, 'stop'>> {
  const dir = mkdtempSync(join(tmpdir(), 'dfmgw-pages-'));
  ends.push(() => rmSync(dir, { recursive: true }));
  const ended = async <T>(starting: Promise<T>, end: (started: T) => unknown): Promise<T> => {
    const started = await starting;
    ends.push(() => end(started));
    return started;
  };
  const both = [
    ended(startManagerProcess(), (one) => one.kill()),
    ended(startRedis(), (one) => one.stop()),
  ] as const;
  // Where one cannot be had, the other is ended only once it has begun.
  await Promise.allSettled(both);
  const [manager, redis] = await Promise.all(both);
  const config = join(dir, 'manager-gateway.yaml');
  const addresses = await startedGateway(dir, config, manager, redis, ends);
  writeConfig(config, dir, manager, redis, addresses);
  const caller = await ended(connectCaller(addresses.listen), (one) => one.close());
  let key = '';

  /** Whatever the command before has forgotten. */
  const prime = async (): Promise<void> => {
    await caller.call(LIST, requestOf(LIST, { hostname: 'daemon', ip: '127.0.0.2' }));
    await bringNode(caller, addresses);
    const { entries } = (await read(`http://${addresses.admin}/api/cache`)) as { entries: { key: string }[] };
    key = entries[0]?.key ?? '';
  };
  const asTyped = (command: string): string => substitute(command, { dir, config, key, manager, addresses });
  return {
    asTyped,
    async run(command) {
      await prime();
      return ranToItsEnd(asTyped(command), dir, config);
    },
  };
}

async function startedGateway(
  dir: string,
  config: string,
  manager: ManagerProcess,
  redis: RedisProcess,
  ends: (() => unknown)[],
): Promise<Addresses> {
  mkdirSync(join(dir, 'bin'));
  const command = join(dir, 'bin/manager-gateway');
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${join(PROJECT, 'dist/main.js')}' "$@"\n`);
  chmodSync(command, 0o755);
  const free = '127.0.0.1:0';
  writeConfig(config, dir, manager, redis, { listen: free, admin: free, metrics: free });
  const started = runGateway(['serve', '--config', config]);
  ends.push(() => {
    started.child.kill('SIGKILL');
    return started.exited;
  });
  const { listen, admin, metrics } = (await started.line({ event: 'started' })) as Record<string, string>;
  await Promise.all([
    started.line({ event: 'redis-connected' }),
    started.line({ event: 'address-state-changed', to: 'healthy' }),
  ]);
  return { listen: String(listen), admin: String(admin), metrics: String(metrics) };
}

/** Of the gateway, and then of the commands, which find the gateway by it. */
function writeConfig(
  file: string,
  dir: string,
  manager: ManagerProcess,
  redis: RedisProcess,
  { listen, admin, metrics }: Addresses,
): void {
  const config = {
    fleet: { id: 'pages' },
    managers: { addrs: [manager.address] },
    server: { listen },
    admin: { addr: admin, token: TOKEN },
    metrics: { addr: metrics },
    // Long, because the machine is shared.
    redis: { addrs: [redis.address], timeout: '2s' },
    snapshot: { dir: join(dir, 'snapshots'), interval: '100ms' },
    cache: { maxBytes: 2 ** 20 },
    warmup: { requests: [{ method: 'ListApplications', request: { hostname: 'sched-a', ip: '127.0.0.1' } }] },
  };
  writeFileSync(file, stringify(config));
}

async function bringNode(caller: Caller, { admin }: Addresses): Promise<void> {
  const listed = async (): Promise<boolean> => {
    const { nodes } = (await read(`http://${admin}/api/nodes`)) as {
      nodes: { hostname: string; state: string }[];
    };
    return nodes.some(({ hostname, state }) => hostname === NODE.hostname && state === 'open');
  };
  if (await listed()) return;
  const fields = { source_type: 'SCHEDULER_SOURCE', ...NODE };
  await caller.call(UPDATE, requestOf(UPDATE, { ...fields, scheduler_cluster_id: '1', port: 8002 }));
  const { called } = caller.begin(
    KEEP_ALIVE,
    requestOf(KEEP_ALIVE, { ...fields, cluster_id: '1' }),
    {},
    true,
  );
  called.catch(() => undefined);
  await until('the node is there', listed);
}

async function read(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

/** docs/README.md tells readers the same. */
function substitute(
  command: string,
  world: { dir: string; config: string; key: string; manager: ManagerProcess; addresses: Addresses },
): string {
  const { dir, config, key, manager, addresses } = world;
  const names: [RegExp, string][] = [
    [/(?<=--out )\S+/g, join(dir, 'out.yaml')],
    [/(?<=(?:--config|-c) )\S+/g, config],
    [/\bTOKEN\b/g, TOKEN],
    [/\bKEY\b/g, key],
    [/\bmanager\.dragonfly(?:-system)?:65003\b/g, manager.address],
    [/(?:\bGATEWAY|\bmanager-gateway\.dragonfly(?:-system)?|\b127\.0\.0\.1):65003\b/g, addresses.listen],
    [/\b127\.0\.0\.1:8080\b/g, addresses.admin],
    [/\b127\.0\.0\.1:8000\b/g, addresses.metrics],
  ];
  return names.reduce((text, [name, value]) => text.replaceAll(name, value), command);
}

/** `serve` is stopped when it has started; everything else ends by itself. */
async function ranToItsEnd(command: string, dir: string, config: string): Promise<Ran> {
  const serves = / serve\b/.test(command) && !command.includes('--check');
  const elsewhere = ['server.listen', 'metrics.addr', 'admin.addr'].map((key) => `--set ${key}=127.0.0.1:0`);
  // A directory is one gateway's.
  const typed = serves ? `exec ${command} ${elsewhere.join(' ')} --set snapshot.dir=` : command;
  const child = spawn('bash', ['-c', typed], {
    cwd: PROJECT,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Nobody waits longer, and nothing is left behind.
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
    env: {
      ...process.env,
      PATH: `${join(dir, 'bin')}${delimiter}${process.env.PATH}`,
      MANAGER_GATEWAY_CONFIG: config,
    },
  });
  const [out, err] = [heard(child.stdout), heard(child.stderr)];
  if (serves) stopWhenStarted(child, out);
  const [code, signal] = await once(child, 'close');
  return { code: code ?? signal, out: out.text, err: err.text };
}

type Heard = { text: string };

function heard(stream: NodeJS.ReadableStream): Heard {
  const said: Heard = { text: '' };
  stream.on('data', (chunk: Buffer) => {
    said.text += chunk.toString();
  });
  return said;
}

function stopWhenStarted(child: ChildProcess, out: Heard): void {
  const look = (): void => {
    if (!out.text.includes('"event":"started"')) return;
    child.stdout?.off('data', look);
    child.kill('SIGTERM');
  };
  child.stdout?.on('data', look);
}
