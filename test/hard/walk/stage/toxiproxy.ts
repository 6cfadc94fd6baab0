import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '../../../../src/simulator/free-port.js';
import { until } from '../../../support/until.js';
import type { Keeper } from './keeper.js';

const MODULE = 'github.com/Shopify/toxiproxy/v2/cmd/server';
const VERSION = 'v2.12.0';
const HOME = fileURLToPath(new URL(`../../../../node_modules/.cache/toxiproxy-${VERSION}/`, import.meta.url));
const CALL_LIMIT_MS = 10_000;

/** As toxiproxy's API takes them. */
export type Toxic =
  | { readonly type: 'latency'; readonly attributes: { readonly latency: number; readonly jitter: number } }
  /** Nothing comes through any more; with 0 until it is taken away, which closes the connections. */
  | { readonly type: 'timeout'; readonly attributes: { readonly timeout: number } }
  | { readonly type: 'reset_peer'; readonly attributes: { readonly timeout: number } }
  /** Bytes, bytes, µs. */
  | {
      readonly type: 'slicer';
      readonly attributes: {
        readonly average_size: number;
        readonly size_variation: number;
        readonly delay: number;
      };
    };

/** One way from a part to another. */
export interface Link {
  readonly name: string;
  /** What dials is to dial. */
  readonly address: string;
  readonly port: number;
  /** Resolves with the cure. */
  poison(toxic: Toxic): Promise<Cure>;
  /** Refuses connections, and drops those there are. */
  cut(): Promise<Cure>;
}

export type Cure = () => Promise<void>;

export interface Toxiproxy {
  link(name: string, upstream: string): Promise<Link>;
  freeze(): void;
  thaw(): void;
  /** Killed and started again: all connections are gone, and all faults of links. */
  restart(): Promise<void>;
}

interface Route {
  readonly listen: string;
  readonly upstream: string;
}

/** Installs it, once per version, and starts it. */
export async function startToxiproxy(keeper: Keeper): Promise<Toxiproxy> {
  const program = await install();
  const port = await freePort();
  const routes = new Map<string, Route>();
  const raw = apiAt(port);
  let child = await launch(program, port, keeper);
  const create = (name: string, { listen, upstream }: Route): Promise<void> =>
    raw('POST', '/proxies', { name, listen, upstream, enabled: true });
  const relaunch = async (): Promise<void> => {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    child = await launch(program, port, keeper);
    for (const [name, route] of routes) await create(name, route);
  };
  let up: Promise<void> = Promise.resolve();
  // Other faults begin and end while it is restarted.
  const api: Api = async (...order) => {
    const before = up;
    await up;
    try {
      await raw(...order);
    } catch (error) {
      // It can hang over a link that is blocked; then nothing but a new one helps.
      if (up === before && isTimeout(error)) up = relaunch();
      if (up === before) throw error;
      await up;
      await raw(...order);
    }
  };
  return {
    restart() {
      up = relaunch();
      return up;
    },
    async link(name, upstream) {
      const linkPort = await freePort();
      const route = { listen: `127.0.0.1:${linkPort}`, upstream };
      routes.set(name, route);
      await create(name, route);
      return { name, address: route.listen, port: linkPort, ...ailments(api, name) };
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}

const DIRECTIONS = ['downstream', 'upstream'] as const;

function ailments(api: Api, name: string): Pick<Link, 'poison' | 'cut'> {
  const toxics = `/proxies/${name}/toxics`;
  return {
    async poison({ type, attributes }) {
      for (const stream of DIRECTIONS) await api('POST', toxics, { type, stream, toxicity: 1, attributes });
      return async () => {
        for (const stream of DIRECTIONS) await api('DELETE', `${toxics}/${type}_${stream}`);
      };
    },
    async cut() {
      await api('POST', `/proxies/${name}`, { enabled: false });
      return () => api('POST', `/proxies/${name}`, { enabled: true });
    },
  };
}

async function install(): Promise<string> {
  const program = `${HOME}server`;
  if (existsSync(program)) return program;
  await promisify(execFile)('go', ['install', `${MODULE}@${VERSION}`], {
    env: { ...process.env, GOBIN: HOME },
  });
  return program;
}

async function launch(program: string, port: number, keeper: Keeper): Promise<ChildProcess> {
  const child = spawn(program, ['-host', '127.0.0.1', '-port', String(port)], {
    stdio: 'ignore',
    env: { ...process.env, LOG_LEVEL: 'error' },
  });
  keeper.keep(child);
  await until('toxiproxy answers', async () => {
    if (child.exitCode !== null) throw new Error(`toxiproxy ended with ${child.exitCode}`);
    return await fetch(`http://127.0.0.1:${port}/version`).then(
      ({ ok }) => ok,
      () => false,
    );
  });
  return child;
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

type Api = (method: string, path: string, body?: object) => Promise<void>;

function apiAt(port: number): Api {
  return async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      signal: AbortSignal.timeout(CALL_LIMIT_MS),
      // Browsers are refused, and who sends no agent is none.
      headers: { 'user-agent': 'walk', 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    // A toxic that went with a restart.
    if (response.status === 404 && method === 'DELETE') return;
    if (!response.ok) throw new Error(`toxiproxy, ${method} ${path}: ${response.status} ${text}`);
  };
}
