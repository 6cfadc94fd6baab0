import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type ScriptedManager, startScriptedManager } from '../../src/simulator/manager/scripted-manager.js';
import { type Caller, connectCaller } from './caller.js';
import { type GatewayProcess, runGateway } from './gateway-process.js';
import { listSchedulersOf, PATHS } from './promises-messages.js';

/** A gateway in a process of its own that is done bad things to, while others go on calling. */
export interface Attacked {
  readonly port: number;
  readonly address: string;
  readonly manager: ScriptedManager;
  readonly others: Others;
  /** A value on its /metrics, by name without prefix. */
  metric(name: string): Promise<number>;
  /** The same of a name with labels, all of them together. */
  sum(name: string, labels?: string): Promise<number>;
  /** Those of its connections to the manager aside, which it may replace. */
  openDescriptors(): number;
  /** The most memory it has ever had. */
  peakBytes(): number;
  /** What its log says of faults of its own. */
  faults(): unknown[];
  readonly running: boolean;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | string>;
}

/** `answer`: what the manager says; it echoes where nobody says. `keepsCalls`: as of a scripted manager. */
export async function startAttacked(
  more: readonly string[] = [],
  answer: Parameters<typeof startScriptedManager>[0]['answer'] = ({ messages }) => ({ messages }),
  keepsCalls = true,
): Promise<Attacked> {
  const manager = await startScriptedManager({ answer, keepsCalls });
  const sets = [
    'server.listen=127.0.0.1:0',
    'metrics.addr=127.0.0.1:0',
    'admin.enable=false',
    'server.limits.asksPerSecond=0',
    // One directory is one gateway's: others wait for it, and open their journal when it is free.
    'snapshot.dir=',
    ...more,
  ];
  const args = [...sets, `managers.addrs=["${manager.address}"]`].flatMap((set) => ['--set', set]);
  const gateway = runGateway(['serve', ...args]);
  const { listen, metrics } = await gateway.line({ event: 'started' });
  const address = String(listen);
  const others = await startOthers(address);
  const inProc = (file: string): string => `/proc/${gateway.child.pid}/${file}`;

  return {
    port: Number(address.slice(address.lastIndexOf(':') + 1)),
    address,
    manager,
    others,
    async metric(name) {
      const text = await getOnce(`http://${metrics}/metrics`);
      const line = text.split('\n').find((one) => one.startsWith(`dragonfly_manager_gateway_${name} `));
      return Number(line?.split(' ')[1]);
    },
    async sum(name, labels = '') {
      const text = await getOnce(`http://${metrics}/metrics`);
      const lines = text.split('\n').filter((one) => one.startsWith(`dragonfly_manager_gateway_${name}{`));
      return lines
        .filter((one) => one.includes(labels))
        .reduce((total, one) => total + Number(one.slice(one.lastIndexOf(' ') + 1)), 0);
    },
    openDescriptors: () => readdirSync(inProc('fd')).length - manager.stats.connectionsOpen,
    peakBytes() {
      const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(inProc('status'), 'utf8'))?.[1];
      return Number(peak) * 1024;
    },
    faults: () => [...gateway.lines.filter(({ event }) => event === 'internal-error'), ...textLines(gateway)],
    get running() {
      return gateway.child.exitCode === null && gateway.child.signalCode === null;
    },
    async stop() {
      await others.stop();
      gateway.child.kill('SIGTERM');
      const code = await gateway.exited;
      await manager.stop();
      return code;
    },
  };
}

/** On a connection that closes with the answer, so that it does not count. */
function getOnce(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false }, (response) => {
      response.once('close', () => resolve(Buffer.concat(chunks).toString()));
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
    });
    request.once('error', reject);
  });
}

/** What is said besides the log: a warning of Node, a stack. */
function textLines({ lines, stderr }: GatewayProcess): unknown[] {
  return [...lines.filter(({ text }) => text !== undefined), ...(stderr() === '' ? [] : [stderr()])];
}

/** Callers that go on asking, one question after the other, each on a connection of its own. */
export interface Others {
  readonly count: number;
  /** Resolves when each of them has been answered `times` times more; with every answer since the last asking that was not as it should be. */
  complaints(times?: number): Promise<unknown[]>;
  stop(): Promise<void>;
}

const ASKED = [PATHS.list, PATHS.unknownService, PATHS.updateScheduler, '/grpc.health.v1.Health/Check'];

async function startOthers(address: string): Promise<Others> {
  const callers = await Promise.all(ASKED.map(() => connectCaller(address)));
  const answered = ASKED.map(() => 0);
  const complaints: unknown[] = [];
  let stopped = false;
  const ask = async (caller: Caller, index: number): Promise<void> => {
    const path = ASKED[index] as string;
    const request = path.includes('Health') ? Buffer.alloc(0) : listSchedulersOf(`other-${index}`);
    while (!stopped) {
      const { code, message } = await caller.call(path, request);
      answered[index] = (answered[index] ?? 0) + 1;
      if (code !== 0) complaints.push({ path, code, message });
      // Not as fast as it can: what is done beside it is what the machine is for.
      await wait(5);
    }
  };
  const asking = callers.map((caller, index) =>
    ask(caller, index).catch((error: unknown) => complaints.push({ path: ASKED[index], error })),
  );
  return {
    count: callers.length,
    async complaints(times = 20) {
      const before = [...answered];
      const isEnough = (): boolean => answered.every((count, index) => count >= (before[index] ?? 0) + times);
      while (!isEnough() && complaints.length === 0) await wait(5);
      return complaints.splice(0);
    },
    async stop() {
      stopped = true;
      await Promise.all(asking);
      await Promise.all(callers.map((caller) => caller.close()));
    },
  };
}

/** A bare connection; resolves once it is up. */
export function connectBare(port: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** Resolves when the other side has ended or broken the connection. */
export function closedByPeer(socket: net.Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    socket.once('end', () => resolve());
    socket.once('close', () => resolve());
  });
}

/** How many descriptors this process may have open. */
export function descriptorLimit(): number {
  const soft = /Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return Number(soft ?? 1_024);
}
