import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { GatewayEvent } from '../../src/observe/events.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Authority, makeAuthority, type Pair } from './certificates.js';
import { connectWire, type WireCaller } from './promises-wire.js';
import { type RunningGateway, startGateway } from './running-gateway.js';

export const LIST = '/manager.v2.Manager/ListSchedulers';
export const UPDATE = '/manager.v2.Manager/UpdateScheduler';
export const KEEP = '/manager.v2.Manager/KeepAlive';
export const HEALTH = '/grpc.health.v1.Health/Check';

export const REFUSED = { code: '7' };

export const RULES = [
  { name: 'daemons', certificates: ['*.daemon.example'], methods: ['reads'] },
  {
    name: 'schedulers',
    certificates: ['spiffe://cluster/ns/dragonfly/*'],
    methods: ['reads', 'writes', 'keep-alive'],
    onlyItself: true,
  },
  { name: 'operators', certificates: ['*@example.org'], methods: ['everything'] },
];

/** A gateway with these rules, and its manager. */
export interface World {
  readonly manager: SimulatedManager;
  readonly running: RunningGateway;
  readonly as: (who: string) => Promise<WireCaller>;
  readonly reload: (mode: string, rules?: readonly object[]) => void;
  readonly forbidden: () => Extract<GatewayEvent, { kind: 'client-forbidden' }>[];
}

/** Who can be told by his certificate. */
export interface ClientRules {
  readonly authority: Authority;
  /** By whom they are for. */
  readonly shown: Readonly<Record<string, Pair | undefined>>;
  world(mode: string, more?: readonly string[], clientAuth?: string): Promise<World>;
  /** After the test, the last first. */
  endLater(end: () => Promise<unknown> | unknown): void;
}

/** Call once per test file. */
export function clientRules(): ClientRules {
  let authority: Authority;
  let server: Pair;
  const shown: Record<string, Pair | undefined> = {};
  const owned: (() => Promise<unknown> | unknown)[] = [];

  beforeAll(() => {
    authority = makeAuthority();
    server = authority.leaf('gateway');
    shown.daemon = authority.leaf('daemon', { names: 'DNS:d7.daemon.example' });
    shown.scheduler = authority.leaf('scheduler', {
      names: 'URI:spiffe://cluster/ns/dragonfly/sa/scheduler,DNS:sched-1,IP:127.0.0.9',
    });
    shown.operator = authority.leaf('operator', { names: 'email:ops@example.org' });
    shown.nameless = authority.leaf('nameless', { names: 'otherName:1.2.3.4;UTF8:x' });
  });
  afterAll(() => authority.end());
  afterEach(async () => {
    for (const end of owned.splice(0).reverse()) await end();
  });

  const tlsSets = (clientAuth: string): string[] => [
    `server.tls.caCert=${authority.caCert}`,
    `server.tls.cert=${server.cert}`,
    `server.tls.key=${server.key}`,
    `server.tls.clientAuth=${clientAuth}`,
  ];

  const connectAs = async (address: string, who: string): Promise<WireCaller> => {
    const client = shown[who] ?? { cert: '', key: '' };
    const caller = await connectWire({
      address,
      certificates: { caCert: authority.caCert, server, client },
    });
    owned.push(() => caller.close());
    return caller;
  };

  return {
    get authority() {
      return authority;
    },
    shown,
    async world(mode, more = [], clientAuth = 'request') {
      const manager = await startSimulatedManager();
      owned.push(() => manager.stop());
      let reread: readonly string[] = [];
      const running = await startGateway({
        managers: [manager.address],
        sets: [...tlsSets(clientAuth), ...more, ...ruleSets(mode, RULES)],
        reread: () => reread,
      });
      owned.push(() => running.gateway.stop());
      await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'healthy');
      return {
        manager,
        running,
        as: (who) => connectAs(running.address, who),
        reload(is, rules = RULES) {
          reread = ruleSets(is, rules);
          expect(running.gateway.reload()).toMatchObject({ kind: 'read', change: { needRestart: [] } });
        },
        forbidden: () =>
          running.events.filter(
            (event): event is Extract<GatewayEvent, { kind: 'client-forbidden' }> =>
              event.kind === 'client-forbidden',
          ),
      };
    },
    endLater: (end) => void owned.push(end),
  };
}

function ruleSets(mode: string, rules: readonly object[]): string[] {
  return [`server.clients.mode=${mode}`, `server.clients.rules=${JSON.stringify(rules)}`];
}

export const node = (hostname: string, ip = '127.0.0.9') => ({
  hostname,
  ip,
  port: 8002,
  scheduler_cluster_id: 1,
});
