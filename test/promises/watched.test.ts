import { once } from 'node:events';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createManagerRecord } from '../../src/simulator/manager/memory-record.js';
import { startSimulatedManager } from '../../src/simulator/manager/simulated-manager.js';
import { asSent, panelQueries, rules } from '../support/queries.js';
import { NODES, SCHEDULER, startWatchedFleet, type WatchedFleet } from '../support/watched-fleet.js';

/** What did not happen in this story: nobody called wrongly, no other replica is there, nothing in Redis was touched. */
const MAY_BE_STILL = new RegExp(
  [
    'upstream_channels_(created|closed)',
    'overloaded|retries_refused',
    'answer="refused"',
    'streams_unshielded|openings_lowered',
    'connections_refused|bad_input',
    'redis_(registrations_)?rejected',
    'internal_errors|config_reloads|operator_acts',
    'directory_missing|guard_released',
    // Only where two ask at the same moment, or one answers slowly enough.
    'coalesced|reads_held_back',
    // Only at the very moment of a scrape.
    '_in_flight|_flights',
  ].join('|'),
);

let fleet: WatchedFleet;
const fired = new Set<string>();

beforeAll(async () => {
  fleet = await startWatchedFleet();
});
afterAll(() => fleet.stop());

/** Each of the alerts fires in what `begin` does, and is quiet again after `end`. */
async function incident(alerts: readonly string[], begin: () => unknown, end: () => unknown): Promise<void> {
  await Promise.all(alerts.map((alert) => fleet.quiet(alert)));
  await begin();
  try {
    await Promise.all(alerts.map((alert) => fleet.fires(alert)));
  } finally {
    await end();
  }
  await Promise.all(alerts.map((alert) => fleet.quiet(alert)));
  for (const alert of alerts) fired.add(alert);
}

/** Over and over, until `done`: the gateway mends it as often. */
function againAndAgain(act: () => void): { done(): void } {
  const timer = setInterval(act, 50);
  return { done: () => clearInterval(timer) };
}

// One fleet, one story: in the order in which they stand.
describe('a Prometheus that watches a fleet sees', { timeout: 60_000 }, () => {
  it('a gateway that was started into an outage with nothing remembered, until a manager comes', async () => {
    await fleet.fires('DragonflyManagerGatewayNotServing', fleet.cold);
    await fleet.quiet('DragonflyManagerGatewayNotServing');
    // Whether somebody is refused at once, or waits for as long as an asking takes, has changed from run to run: known, and not yet understood.
    await fleet.coldManager.restart();
    await fleet.quiet('DragonflyManagerGatewayNotServing', fleet.cold);
    fired.add('DragonflyManagerGatewayNotServing');
  });

  it('a certificate that runs out, until it is renewed', async () => {
    await fleet.fires('DragonflyManagerGatewayCertificateExpiring', fleet.cold);
    fleet.renew();
    await fleet.quiet('DragonflyManagerGatewayCertificateExpiring', fleet.cold);
    fired.add('DragonflyManagerGatewayCertificateExpiring');
  });

  it('callers that churn, Redis that is gone, and a snapshot that cannot be written', async () => {
    let churning: { done(): Promise<void> } | undefined;
    await incident(
      [
        'DragonflyManagerGatewayChurn',
        'DragonflyManagerGatewayRedisLost',
        'DragonflyManagerGatewaySnapshotFailing',
      ],
      async () => {
        churning = fleet.churn();
        await fleet.redis.kill();
        renameSync(fleet.dir, `${fleet.dir}-away`);
        writeFileSync(fleet.dir, 'a file in its place');
      },
      async () => {
        await churning?.done();
        await fleet.redis.restart();
        rmSync(fleet.dir);
        renameSync(`${fleet.dir}-away`, fleet.dir);
      },
    );
  });

  it('a Redis that is there, and does not answer', async () => {
    await incident(['DragonflyManagerGatewayRedisLost'], fleet.redis.freeze, fleet.redis.thaw);
  });

  it('that somebody left it in observe, and in maintenance', async () => {
    const { gateway } = fleet.gateway;
    await incident(
      ['DragonflyManagerGatewayNotAnswering'],
      () => gateway.setMode('observe'),
      () => gateway.setMode('answer'),
    );
    await incident(
      ['DragonflyManagerGatewayMaintenance'],
      () => fleet.act('/api/maintenance', { minutes: 10 }),
      () => fleet.act('/api/maintenance', { minutes: 0 }),
    );
  });

  it('a live node that the manager calls inactive, and empty lists that nobody believes', async () => {
    const { manager } = fleet;
    let inactive: { done(): void } | undefined;
    await incident(
      ['DragonflyNodesDisputed'],
      () => {
        inactive = againAndAgain(() => manager.record.setState(SCHEDULER, 'inactive', 'seeded'));
      },
      () => {
        inactive?.done();
        // What comes back at once is left alone for ten minutes: somebody holds on to it, and lets go now.
        manager.record.setState(SCHEDULER, 'active', 'seeded');
      },
    );
    await incident(
      ['DragonflyManagerGuardHolding'],
      () => manager.setFault({ kind: 'empty-lists' }),
      () => manager.clearFaults(),
    );
  });

  it('nodes that beat and to which nobody can connect, until their services are there', async () => {
    await fleet.fires('DragonflyNodePortRefuses');
    const servers = NODES.map(({ ip, port }) => createServer((socket) => socket.destroy()).listen(port, ip));
    await Promise.all(servers.map((server) => once(server, 'listening')));
    await fleet.quiet('DragonflyNodePortRefuses');
    for (const server of servers) server.close();
    fired.add('DragonflyNodePortRefuses');
  });

  it('a manager whose database is dead: unhealthy, breakers open, answers stale, and near their end', async () => {
    await incident(
      [
        'DragonflyManagerUnhealthy',
        'DragonflyManagerBreakerOpen',
        'DragonflyManagerServingStale',
        'DragonflyManagerAnswersNearMaxStale',
      ],
      () => fleet.manager.setFault({ kind: 'database-dead' }),
      () => fleet.manager.clearFaults(),
    );
  });

  it('another manager in its place, until ours is back', async () => {
    const { manager } = fleet;
    let other: Awaited<ReturnType<typeof startSimulatedManager>> | undefined;
    await incident(
      ['DragonflyAnotherManager'],
      async () => {
        await manager.stop();
        await fleet.register();
        other = await startSimulatedManager({ port: manager.port, record: createManagerRecord() });
      },
      async () => {
        await other?.stop();
        await manager.restart();
      },
    );
  });

  it('all of that in every panel of the dashboard', async () => {
    await fleet.end();
    const empty: string[] = [];
    const still: string[] = [];
    for (const { panel, expr } of panelQueries()) {
      const seen = await fleet.prometheus.history(asSent(expr, '6s'), fleet.seconds);
      const values = [...seen.values()].flat().filter((value) => !Number.isNaN(value));
      if (values.length === 0) empty.push(`${panel}: ${expr}`);
      else if (values.every((value) => value === 0) && !MAY_BE_STILL.test(expr))
        still.push(`${panel}: ${expr}`);
    }
    expect({ empty, still }).toEqual({ empty: [], still: [] });
  });
});

it('sees every alert that there is', () => {
  expect([...fired].toSorted()).toEqual(
    rules()
      .map(({ alert }) => alert)
      .toSorted(),
  );
});
