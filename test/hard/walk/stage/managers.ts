import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../../src/simulator/free-port.js';
import type { Fault, FaultKind } from '../../../../src/simulator/manager/fault.js';
import type { NodeName, StateCause } from '../../../../src/simulator/manager/manager-record.js';
import type { NodeState } from '../../../../src/simulator/manager/rows.js';
import { MANAGER_TIME_FACTOR, MANAGERS } from '../settings.js';
import type { Keeper } from './keeper.js';

const ENTRY = fileURLToPath(new URL('manager-host.mjs', import.meta.url));

/** One answer of a manager. Times on the machine's monotonic clock: the call came in, the status went out. */
export interface Said {
  readonly via: number;
  readonly path: string;
  readonly request: Buffer;
  readonly code: number;
  readonly message: string;
  /** Of the answer's bytes; of none, where there are none. */
  readonly hash: string;
  /** Where these bytes were not told lately. */
  readonly answer?: Buffer;
  readonly fromMs: number;
  readonly toMs: number;
}

/** One write to a node's row. `via`: through which manager. */
export interface RowChange {
  readonly key: string;
  readonly state: NodeState | 'gone';
  readonly cause: StateCause;
  readonly via: number | 'console';
  readonly atMs: number;
}

export interface Row {
  readonly key: string;
  readonly state: NodeState;
  readonly location: string;
  /** How many KeepAlive messages of this node have come so far, to either of them. */
  readonly heard: number;
}

export function keyOfNode({ kind, clusterId, hostname, ip }: NodeName): string {
  return `${kind} ${clusterId} ${hostname} ${ip}`;
}

/** Two managers on one record. Needs `npm run build`. */
export interface Managers {
  readonly addresses: readonly string[];
  fault(manager: number, fault: Fault): Promise<void>;
  clear(manager: number, fault: FaultKind): Promise<void>;
  /** As kill -9. */
  stop(manager: number): Promise<void>;
  restart(manager: number): Promise<void>;
  /** In the console, of which nobody is told. */
  deleteRow(node: NodeName): Promise<void>;
  /** Everything that was said and written before has been told when it resolves. */
  rows(): Promise<readonly Row[]>;
  connections(): Promise<readonly number[]>;
  /** How long their process stood still at the most since the last asking, ms. */
  stillMs(): Promise<number>;
  /** Both, with all that they have in common. */
  freeze(): void;
  thaw(): void;
}

/** Told of what the managers say and write. */
export interface ManagersListener {
  said(said: Said): void;
  changed(change: RowChange): void;
}

type Message =
  | { readonly kind: 'ready' }
  | { readonly kind: 'told'; readonly said: readonly Said[]; readonly changes: readonly RowChange[] }
  | { readonly kind: 'done'; readonly id: number; readonly result: unknown };

export async function startManagers(
  keeper: Keeper,
  seed: number,
  listener: ManagersListener,
): Promise<Managers> {
  const ports: number[] = [];
  while (ports.length < MANAGERS) ports.push(await freePort());
  const options = JSON.stringify({ ports, seed, timeFactor: MANAGER_TIME_FACTOR });
  const child = fork(ENTRY, [options], { serialization: 'advanced', execArgv: [] });
  keeper.keep(child);
  await ready(child);
  const order = ordersTo(child, listener);
  return {
    addresses: ports.map((port) => `127.0.0.1:${port}`),
    fault: async (manager, fault) => void (await order('fault', { manager, fault })),
    clear: async (manager, fault) => void (await order('clear', { manager, fault })),
    stop: async (manager) => void (await order('stop', { manager })),
    restart: async (manager) => void (await order('restart', { manager })),
    deleteRow: async (node) => void (await order('delete', { node })),
    rows: () => order('rows') as Promise<readonly Row[]>,
    connections: () => order('connections') as Promise<readonly number[]>,
    stillMs: () => order('still') as Promise<number>,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}

type Order = (name: string, fields?: object) => Promise<unknown>;

/** Orders go to the process, and what it tells beside the answers to them goes to the listener. */
function ordersTo(child: ChildProcess, listener: ManagersListener): Order {
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let orders = 0;
  child.on('message', (message: Message) => {
    if (message.kind === 'done') waiting.get(message.id)?.resolve(message.result);
    if (message.kind !== 'told') return;
    for (const one of message.said) listener.said(one);
    for (const one of message.changes) listener.changed(one);
  });
  child.once('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`the managers ended with ${code ?? signal}`));
  });
  return async (name, fields = {}) => {
    const id = ++orders;
    try {
      return await new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        child.send({ id, order: name, ...fields }, (error) => error && reject(error));
      });
    } finally {
      waiting.delete(id);
    }
  };
}

async function ready(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit').then(([code]): never => {
    throw new Error(`the managers ended with ${code}`);
  });
  await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined);
}
