import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { NodeView } from '../../src/keepalive/node-view.js';
import { createPorts, type PortSays, type PortsOptions } from '../../src/keepalive/ports.js';
import { systemClock } from '../../src/rpc/clock.js';
import { ManualClock } from '../support/manual-clock.js';
import { until } from '../support/until.js';

const INTERVAL_MS = 60_000;

function view(key: string, over: Partial<NodeView> = {}, ip = '127.0.0.1'): NodeView {
  return {
    key,
    node: { kind: 'scheduler', source: 'SCHEDULER_SOURCE', clusterId: '1', hostname: key, ip },
    state: 'open',
    alive: true,
    streamsBelow: 1,
    lastBeatAtMs: 0,
    intervalMs: 5_000,
    upstream: undefined,
    reopenings: 0,
    lastReopened: undefined,
    holder: undefined,
    ...over,
  };
}

function portsOf(nodes: readonly NodeView[], over: Partial<PortsOptions> = {}) {
  const clock = new ManualClock();
  const dialled: string[] = [];
  let underWay = 0;
  let most = 0;
  const ports = createPorts({
    intervalMs: INTERVAL_MS,
    nodes: () => nodes,
    portOf: () => 8002,
    async dial(ip, port) {
      most = Math.max(most, ++underWay);
      dialled.push(`${ip}:${port}`);
      await Promise.resolve();
      underWay--;
      return 'refused';
    },
    clock,
    random: () => 0.5,
    ...over,
  });
  return { ports, clock, dialled, most: () => most };
}

describe('looks at the ports of live nodes', () => {
  let listening: Server | undefined;
  afterEach(() => listening?.close());

  it('tell one that takes connections from one where nobody listens, and from one of which nothing is heard', async () => {
    listening = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    const gone = createServer().listen(0, '127.0.0.1');
    await Promise.all([once(listening, 'listening'), once(gone, 'listening')]);
    const portIn = (server: Server): number => (server.address() as { port: number }).port;
    const ports: Record<string, number> = { a: portIn(listening), b: portIn(gone) };
    gone.close();
    await once(gone, 'close');
    const looks = createPorts({
      intervalMs: 1,
      nodes: () => [view('a'), view('b')],
      portOf: ({ hostname }) => ports[hostname],
      clock: systemClock,
      random: () => 0.5,
    });
    looks.start();
    await until('both were looked at', () => looks.says('a') !== undefined);
    looks.stop();
    expect([looks.says('a'), looks.says('b')] satisfies (PortSays | undefined)[]).toEqual([
      'open',
      'refused',
    ]);
  });

  it('are of nodes that live here, whose port is known, and that name an address', async () => {
    const nodes = [
      view('here'),
      view('dead', { alive: false }),
      view('elsewhere', { state: 'elsewhere' }),
      view('unknown'),
      view('named', {}, 'scheduler.example'),
    ];
    const portOf: PortsOptions['portOf'] = ({ hostname }) => (hostname === 'unknown' ? undefined : 8002);
    const { ports, clock, dialled } = portsOf(nodes, { portOf });
    ports.start();
    clock.advance(INTERVAL_MS);
    await until('one was looked at', () => ports.says('here') === 'refused');
    expect(dialled).toEqual(['127.0.0.1:8002']);
  });

  it('are few at a time, one round after the other, and over when the gateway stops', async () => {
    const nodes = Array.from({ length: 50 }, (_, number) => view(`node-${number}`));
    const { ports, clock, dialled, most } = portsOf(nodes);
    ports.start();
    clock.advance(INTERVAL_MS);
    await until('all were looked at', () => ports.says('node-0') !== undefined && clock.pendingTimers === 1);
    expect([dialled.length, most()]).toEqual([50, 8]);
    ports.stop();
    clock.advance(10 * INTERVAL_MS);
    expect([dialled.length, clock.pendingTimers]).toEqual([50, 0]);
  });

  it('are none where nobody wants any', () => {
    const { ports, clock } = portsOf([view('a')], { intervalMs: 0 });
    ports.start();
    expect(clock.pendingTimers).toBe(0);
  });
});
