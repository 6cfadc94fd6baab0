import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { GatewayProcess } from '../gateway-process.js';

/** What a gateway holds on to at one moment. */
export interface Level {
  /** In use, with all garbage collected. */
  readonly heapBytes: number;
  /** The least of a few looks. */
  readonly residentBytes: number;
  readonly descriptors: number;
  /** With those that keep no process alive. */
  readonly timers: number;
  readonly sockets: number;
  readonly entries: number;
  readonly entryBytes: number;
  readonly connections: number;
  /** Whose streams at the manager are open. */
  readonly nodes: number;
  readonly flights: number;
}

const LOOKS = 8;
const LOOK_EVERY_MS = 500;

/** Looks at it several times while it rests: timers come and go, and memory is given back when the system likes. */
export async function levelOf(gateway: GatewayProcess, metrics: string): Promise<Level> {
  let best: Level | undefined;
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await wait(LOOK_EVERY_MS);
    const objects = await objectsIn(gateway);
    const seen = await seenAt(metrics, gateway.child.pid ?? 0, objects);
    best = best === undefined ? seen : least(best, seen);
  }
  return best as Level;
}

type Objects = Pick<Level, 'heapBytes' | 'timers' | 'sockets'>;

const times = new WeakMap<GatewayProcess, number>();

async function objectsIn(gateway: GatewayProcess): Promise<Objects> {
  const next = (times.get(gateway) ?? 0) + 1;
  times.set(gateway, next);
  gateway.child.kill('SIGUSR2');
  const line = await gateway.line({ event: 'looked', times: next });
  return { heapBytes: Number(line.heapBytes), timers: Number(line.timers), sockets: Number(line.sockets) };
}

async function seenAt(metrics: string, pid: number, objects: Objects): Promise<Level> {
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  const all = (name: string, label = ''): number =>
    [...text.matchAll(new RegExp(`^dragonfly_manager_gateway_${name}({[^}]*})? ([0-9.e+]+)$`, 'gm'))]
      .filter(([, labels = '']) => labels.includes(label))
      .reduce((sum, [, , value]) => sum + Number(value), 0);
  return {
    ...objects,
    residentBytes: 1024 * Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    entries: all('cache_entries'),
    entryBytes: all('cache_bytes'),
    connections: all('downstream_connections'),
    nodes: all('nodes', 'state="open"'),
    flights: all('flights'),
  };
}

function least(one: Level, other: Level): Level {
  const names = Object.keys(one) as (keyof Level)[];
  return Object.fromEntries(
    names.map((name) => [name, Math.min(one[name], other[name])]),
  ) as unknown as Level;
}

export function shownLevel(level: Level): string {
  const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  const { heapBytes, residentBytes, entryBytes, ...counts } = level;
  const told = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return `${mib(heapBytes)} in use, ${mib(residentBytes)} resident, ${mib(entryBytes)} remembered, ${told.join(', ')}`;
}
