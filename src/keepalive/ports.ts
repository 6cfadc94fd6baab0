import { connect, isIP } from 'node:net';
import type { Clock, Timer } from '../rpc/clock.js';
import type { NodeView } from './node-view.js';

/** `refused`: its machine says that nobody listens; `unreachable`: nothing was heard, which a firewall between looks like, too. */
export type PortSays = 'open' | 'refused' | 'unreachable';

/** Looks whether the services of live nodes take connections: KeepAlive proves that a process beats, not that it serves. */
export interface Ports {
  start(): void;
  stop(): void;
  /** What was last seen of the node with this key; undefined: nothing yet, or nobody knows its port. */
  says(key: string): PortSays | undefined;
}

export interface PortsOptions {
  /** Between two looks at a node, about; 0: none are looked at. */
  readonly intervalMs: number;
  readonly nodes: () => readonly NodeView[];
  /** Of its registration; undefined: it did not pass here. */
  readonly portOf: (node: NodeView['node']) => number | undefined;
  readonly dial?: (ip: string, port: number) => Promise<PortSays>;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Connections that are tried at one time. */
const MOST_AT_ONCE = 8;
const CONNECT_TIMEOUT_MS = 3_000;

export function createPorts(options: PortsOptions): Ports {
  const { intervalMs, nodes, portOf, dial = dialOnce, clock, random } = options;
  let seen = new Map<string, PortSays>();
  let timer: Timer | undefined;
  let stopped = intervalMs === 0;

  const look = async (): Promise<void> => {
    const waiting = nodes().flatMap(({ key, node, alive, state }) => {
      const port = portOf(node);
      // Of a node that another replica holds, that one looks. A name would be looked up, wherever that leads.
      return alive && state !== 'elsewhere' && port && isIP(node.ip) ? [{ key, ip: node.ip, port }] : [];
    });
    const now = new Map<string, PortSays>();
    const work = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined && !stopped; next = waiting.pop())
        now.set(next.key, await dial(next.ip, next.port));
    };
    await Promise.all(Array.from({ length: MOST_AT_ONCE }, work));
    seen = now;
  };
  /** Between three and five quarters of the interval, so that replicas do not keep step. */
  const plan = (): void => {
    if (stopped) return;
    timer = clock.setTimer(intervalMs * (0.75 + random() / 2), () => void look().finally(plan));
  };
  return {
    start: plan,
    stop() {
      stopped = true;
      timer?.cancel();
    },
    says: (key) => seen.get(key),
  };
}

/** Connects and closes again, as a TCP probe of Kubernetes does. Never rejects. */
function dialOnce(ip: string, port: number): Promise<PortSays> {
  return new Promise((resolve) => {
    const socket = connect({ host: ip, port, timeout: CONNECT_TIMEOUT_MS });
    const end = (says: PortSays) => (): void => {
      socket.destroy();
      resolve(says);
    };
    socket.once('connect', end('open'));
    socket.once('timeout', end('unreachable'));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ECONNREFUSED' ? 'refused' : 'unreachable')(),
    );
  });
}
