import { describe, expect, it } from 'vitest';
import { connectWire } from '../support/promises-wire.js';
import { beatOf, V2 } from '../support/shield-bench.js';
import { startLocalManager } from '../support/shield-manager.js';
import { settle, startShieldWorld } from '../support/shield-world.js';
import { until } from '../support/until.js';

const TIME_FACTOR = 10;
const NODES = 20;

describe('a gateway that is told to stop', () => {
  it('with nothing but streams of nodes ends clean and soon, and the manager sees polite ends only', async () => {
    const manager = await startLocalManager({ timeFactor: TIME_FACTOR });
    const world = await startShieldWorld({
      manager,
      timeFactor: TIME_FACTOR,
      through: 'gateway',
      nodes: NODES,
      sets: ['server.drainTimeout=60s'],
    });
    try {
      await settle(world);
      const startedAtMs = performance.now();
      expect(await world.gateway?.gateway.drain()).toEqual({ clean: true });
      // 2 s for the nodes, 2 s for connections that stay open, and what the machine takes.
      expect(performance.now() - startedAtMs).toBeLessThan(20_000);
      const histories = await manager.histories(world.nodes.map(({ name }) => name));
      expect(histories.map((history) => history.at(-1)?.cause)).toEqual(
        Array.from({ length: NODES }, () => 'half-close'),
      );
    } finally {
      await world.stop();
    }
  });

  it('tells nodes in words that make them come back, those, too, that have said nothing yet', async () => {
    const manager = await startLocalManager({ timeFactor: TIME_FACTOR });
    const world = await startShieldWorld({ manager, timeFactor: TIME_FACTOR, through: 'gateway', nodes: 0 });
    const caller = await connectWire({ address: world.gateway?.address ?? '', certificates: undefined });
    try {
      const [silent, known] = [caller.open(V2), caller.open(V2)];
      manager.simulated.record.addScheduler({ hostname: 'node', ip: '127.0.0.1', clusterId: 1 });
      await known.send(beatOf());
      await world.gateway?.seen(({ kind }) => kind === 'node-opened');
      const drained = world.gateway?.gateway.drain();
      for (const { outcome } of [silent, known]) {
        expect(await outcome).toMatchObject({
          code: '14',
          message: 'manager-gateway is stopping; connect again',
        });
      }
      await caller.close();
      expect(await drained).toEqual({ clean: true });
    } finally {
      await world.stop();
    }
  });

  it.each(['observe', 'bypass'])('in %s ends what it only forwards, and never as cancelled', async (mode) => {
    const manager = await startLocalManager({ timeFactor: TIME_FACTOR });
    const world = await startShieldWorld({
      manager,
      timeFactor: TIME_FACTOR,
      through: 'gateway',
      nodes: 0,
      sets: [`mode=${mode}`, 'server.drainTimeout=60s'],
    });
    const caller = await connectWire({ address: world.gateway?.address ?? '', certificates: undefined });
    try {
      manager.simulated.record.addScheduler({ hostname: 'node', ip: '127.0.0.1', clusterId: 1 });
      const [node, watch] = [caller.open(V2), caller.open('/grpc.health.v1.Health/Watch')];
      await Promise.all([node.send(beatOf()), watch.send(Buffer.alloc(0))]);
      await until('both are at the manager', () => manager.simulated.stats.callsOpen === 2);
      const startedAtMs = performance.now();
      const drained = world.gateway?.gateway.drain();
      const words = { code: '14', message: 'manager-gateway is stopping; connect again' };
      expect(await Promise.all([node.outcome, watch.outcome])).toMatchObject([words, words]);
      await until('neither is any more', () => manager.simulated.stats.callsOpen === 0);
      await caller.close();
      expect(await drained).toEqual({ clean: true });
      expect(performance.now() - startedAtMs).toBeLessThan(20_000);
    } finally {
      await world.stop();
    }
  });
});
