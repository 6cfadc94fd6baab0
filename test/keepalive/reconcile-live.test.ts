import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import type { GatewayEvent } from '../../src/observe/events.js';
import type { ManagerVersion } from '../../src/simulator/manager/manager-version.js';
import { RawClient } from '../simulator/manager/raw-client.js';
import { requestOf } from '../support/data-path.js';
import { type LocalShieldManager, startLocalManager } from '../support/shield-manager.js';
import { ShieldNode } from '../support/shield-node.js';
import { type ShieldWorld, settle, startShieldWorld } from '../support/shield-world.js';
import { until } from '../support/until.js';

const TIME_FACTOR = 10;
/** Its caches remember for 2.6 s, and its sweep comes after 18 s, when these tests are over. */
const MANAGER_TIME_FACTOR = 200;
const VERSIONS = ['v2.5.1', 'v2.1.55'] as const;

/** Of this very test: several run at the same time. */
type Later = TestContext['onTestFinished'];

async function start(
  version: ManagerVersion,
  nodes: number,
  later: Later,
): Promise<ShieldWorld<LocalShieldManager>> {
  const dir = mkdtempSync(join(tmpdir(), 'dfmgw-reconcile-'));
  later(() => rmSync(dir, { recursive: true, force: true }));
  const manager = await startLocalManager({
    timeFactor: MANAGER_TIME_FACTOR,
    version,
    lateInactive: { probability: 0, delayMs: 0 },
    connectionAgeMs: 3_600_000,
  });
  const world = await startShieldWorld({
    manager,
    timeFactor: TIME_FACTOR,
    through: 'gateway',
    nodes,
    sets: [`snapshot.dir=${dir}`, 'keepAlive.reconcile=300ms'],
  });
  later(() => world.stop());
  return world;
}

function eventsOf<K extends GatewayEvent['kind']>(
  { gateway }: ShieldWorld<LocalShieldManager>,
  kind: K,
): Extract<GatewayEvent, { kind: K }>[] {
  const isOfKind = (event: GatewayEvent): event is Extract<GatewayEvent, { kind: K }> => event.kind === kind;
  return gateway?.events.filter(isOfKind) ?? [];
}

const statesOf = ({ manager }: ShieldWorld<LocalShieldManager>, { name }: ShieldNode): string[] =>
  manager.simulated.record.stateHistory(name).map(({ state }) => state);

describe.concurrent.each(VERSIONS)('a live node that %s', (version) => {
  it('was told to call inactive, by hand, is active again soon after its caches let it be seen', async ({
    onTestFinished,
  }) => {
    const world = await start(version, 3, onTestFinished);
    await settle(world);
    for (const { name } of world.nodes) world.manager.simulated.record.setState(name, 'inactive', 'seeded');
    await world.allActive();
    const reopened = eventsOf(world, 'node-reopened');
    expect(reopened.map(({ reason }) => reason)).toEqual(['inactive', 'inactive', 'inactive']);
    await until('all of them are settled', () => eventsOf(world, 'node-settled').length === 3);
    expect(eventsOf(world, 'node-disputed').map(({ says }) => says)).toEqual([
      'inactive',
      'inactive',
      'inactive',
    ]);
    // The nodes have noticed nothing.
    expect(world.nodes.map(({ streams }) => streams)).toEqual(Array(3).fill({ opened: 1, broken: 0 }));
  });

  it('calls inactive again behind the stream that mended it is mended again, and not in ten minutes', async ({
    onTestFinished,
  }) => {
    const world = await start(version, 1, onTestFinished);
    await settle(world);
    const { record } = world.manager.simulated;
    const [node] = world.nodes as [ShieldNode];
    record.setState(node.name, 'inactive', 'seeded');
    const before = statesOf(world, node).length;
    // Half-closed, and opened.
    await until('it is mended', () => statesOf(world, node).length >= before + 2);
    record.setState(node.name, 'inactive', 'late');
    await world.allActive();
  });

  it('calls inactive because another stream of it has ended is active again at the next look', async ({
    onTestFinished,
  }) => {
    const world = await start(version, 1, onTestFinished);
    await settle(world);
    const [node] = world.nodes as [ShieldNode];
    const client = new RawClient(world.manager.address);
    const { hostname, ip, clusterId } = node.name;
    const old = client.open('/manager.v2.Manager/KeepAlive');
    old.send(requestOf('/manager.v2.Manager/KeepAlive', { hostname, ip, cluster_id: clusterId }));
    await until('the other stream is open', () => statesOf(world, node).at(-2) === 'active');
    old.halfClose();
    await old.status;
    client.close();
    expect(statesOf(world, node).at(-1)).toBe('inactive');
    await world.allActive();
    expect(eventsOf(world, 'node-reopened').map(({ reason }) => reason)).toEqual(['inactive']);
  });

  it('lost is registered and active again soon after its caches let it be seen', async ({
    onTestFinished,
  }) => {
    const world = await start(version, 3, onTestFinished);
    await settle(world);
    for (const { name } of world.nodes) await world.manager.deleteRow(name);
    await world.allActive();
    for (const node of world.nodes) {
      const states = statesOf(world, node);
      expect(states.slice(states.indexOf('gone'))).toContain('inactive');
      expect(states.at(-1)).toBe('active');
    }
    expect(eventsOf(world, 'node-reopened').map(({ reason }) => reason)).toEqual(Array(3).fill('registered'));
    expect(eventsOf(world, 'node-registered-again').map(({ outcome }) => outcome)).toEqual(
      Array(3).fill('applied'),
    );
    expect(world.nodes.map(({ streams }) => streams)).toEqual(Array(3).fill({ opened: 1, broken: 0 }));
  });

  it('shows the old row of, because it came back with a new address, is left alone', async ({
    onTestFinished,
  }) => {
    const world = await start(version, 3, onTestFinished);
    await settle(world);
    const returned = world.nodes.map(
      ({ name }, number) =>
        new ShieldNode({
          name: { ...name, ip: `127.99.0.${number}` },
          api: 'v2',
          address: world.access.address,
          timeFactor: TIME_FACTOR,
        }),
    );
    onTestFinished(() => Promise.all(returned.map((node) => node.stop())).then(() => undefined));
    await Promise.all(world.nodes.map((node) => node.stop()));
    await Promise.all(returned.map((node) => node.start()));
    // Somebody asks for the list of the cluster before they are active: the manager goes on showing them so.
    const client = new RawClient(world.manager.address);
    const list = '/manager.v2.Manager/ListSchedulers';
    await client.unary(list, requestOf(list, { hostname: 'd', ip: '127.0.0.9', scheduler_cluster_id: '1' }));
    client.close();
    await until('they are active', () => returned.every((node) => statesOf(world, node).at(-1) === 'active'));
    const before = eventsOf(world, 'node-looked-at').length;
    // Longer than the caches remember, in looks: one in 0.3 s.
    await until(
      'each was looked at often',
      () => eventsOf(world, 'node-looked-at').length >= before + 3 * 20,
      20_000,
    );
    expect(
      returned.map((node) => statesOf(world, node).filter((state) => state === 'inactive').length),
    ).toEqual(
      // Only as they were registered; the registration of a seed peer makes it active (protocol: UpdateSeedPeer v2).
      returned.map(({ name }) => (name.kind === 'scheduler' ? 1 : 0)),
    );
    expect([eventsOf(world, 'node-reopened'), eventsOf(world, 'node-disputed')]).toEqual([[], []]);
  });
});
