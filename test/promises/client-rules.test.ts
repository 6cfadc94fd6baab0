import http2 from 'node:http2';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayEvent } from '../../src/observe/events.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Authority, makeAuthority, type Pair } from '../support/certificates.js';
import { requestOf } from '../support/data-path.js';
import { framed } from '../support/framed.js';
import { ask, SOMEBODY } from '../support/promises-ask.js';
import { connectWire, type WireCaller } from '../support/promises-wire.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const UPDATE = '/manager.v2.Manager/UpdateScheduler';
const SEED = '/manager.v2.Manager/UpdateSeedPeer';
const DELETE = '/manager.v2.Manager/DeleteSeedPeer';
const KEEP = '/manager.v2.Manager/KeepAlive';
const HEALTH = '/grpc.health.v1.Health/Check';

let authority: Authority;
let server: Pair;
/** By whom they are for. */
const shown: Record<string, Pair | undefined> = {};
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

const RULES = [
  { name: 'daemons', certificates: ['*.daemon.example'], methods: ['reads'] },
  {
    name: 'schedulers',
    certificates: ['spiffe://cluster/ns/dragonfly/*'],
    methods: ['reads', 'writes', 'keep-alive'],
    onlyItself: true,
  },
  { name: 'operators', certificates: ['*@example.org'], methods: ['everything'] },
];

const owned: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of owned.splice(0).reverse()) await end();
});

interface World {
  readonly manager: SimulatedManager;
  readonly running: RunningGateway;
  readonly as: (who: string) => Promise<WireCaller>;
  readonly reload: (mode: string, rules?: readonly object[]) => void;
  readonly forbidden: () => Extract<GatewayEvent, { kind: 'client-forbidden' }>[];
}

async function world(mode: string, more: readonly string[] = [], clientAuth = 'request'): Promise<World> {
  const manager = await startSimulatedManager();
  owned.push(() => manager.stop());
  let reread: readonly string[] = [];
  const clients = (is: string, rules: readonly object[]): string[] => [
    `server.clients.mode=${is}`,
    `server.clients.rules=${JSON.stringify(rules)}`,
  ];
  const running = await startGateway({
    managers: [manager.address],
    sets: [
      `server.tls.caCert=${authority.caCert}`,
      `server.tls.cert=${server.cert}`,
      `server.tls.key=${server.key}`,
      `server.tls.clientAuth=${clientAuth}`,
      ...more,
      ...clients(mode, RULES),
    ],
    reread: () => reread,
  });
  owned.push(() => running.gateway.stop());
  await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'healthy');
  return {
    manager,
    running,
    async as(who) {
      const client = shown[who];
      const caller = await connectAs(running.address, client);
      owned.push(() => caller.close());
      return caller;
    },
    reload(is, rules = RULES) {
      reread = clients(is, rules);
      expect(running.gateway.reload()).toMatchObject({ kind: 'read', change: { needRestart: [] } });
    },
    forbidden: () =>
      running.events.filter(
        (event): event is Extract<GatewayEvent, { kind: 'client-forbidden' }> =>
          event.kind === 'client-forbidden',
      ),
  };
}

function connectAs(address: string, client: Pair | undefined): Promise<WireCaller> {
  const nobody = { cert: '', key: '' };
  return connectWire({
    address,
    certificates: { caCert: authority.caCert, server, client: client ?? nobody },
  });
}

const node = (hostname: string, ip = '127.0.0.9') => ({ hostname, ip, port: 8002, scheduler_cluster_id: 1 });
const askedOf = ({ manager }: World, path: string): number =>
  manager.calls().filter((call) => call.path === path).length;

const REFUSED = { code: '7' };

describe('with rules that are enforced', () => {
  it.each([
    ['daemon', LIST, true],
    ['daemon', UPDATE, false],
    ['daemon', DELETE, false],
    ['daemon', KEEP, false],
    ['daemon', '/manager.Manager/CreateModel', false],
    ['daemon', '/unknown.Service/Method', false],
    ['daemon', HEALTH, true],
    ['scheduler', LIST, true],
    ['scheduler', UPDATE, true],
    ['scheduler', KEEP, true],
    ['scheduler', '/security.Certificate/IssueCertificate', false],
    ['operator', LIST, true],
    ['operator', UPDATE, true],
    ['operator', KEEP, true],
    ['operator', '/unknown.Service/Method', true],
    ['nobody', LIST, false],
    ['nobody', HEALTH, true],
    ['nameless', LIST, false],
  ])('%s calls %s: %s', async (who, path, allowed) => {
    const here = await world('enforce');
    const outcome = await ask(await here.as(who), path, node('sched-1'));
    if (allowed) expect(outcome).not.toMatchObject(REFUSED);
    else {
      expect(outcome).toMatchObject({ ...REFUSED, messages: [] });
      expect(outcome.message).toContain('server.clients.rules');
      expect(askedOf(here, path)).toBe(0);
      expect(here.forbidden()).toMatchObject([{ rule: 'none', outcome: 'refused', isNews: true }]);
    }
  });

  it('a refusal says who wants what, and what is missing where', async () => {
    const here = await world('enforce');
    expect((await ask(await here.as('daemon'), UPDATE, node('d7'))).message).toBe(
      'manager-gateway: server.clients: the certificate of DNS:d7.daemon.example wants manager.v2.Manager/UpdateScheduler, and the rule for it (daemons) does not have that; "writes" or "UpdateScheduler" is missing in the methods of one of server.clients.rules',
    );
    expect((await ask(await here.as('nobody'), LIST)).message).toBe(
      'manager-gateway: server.clients: no rule is for a caller without a certificate, which wants manager.v2.Manager/ListSchedulers; one with such a name in its certificates, and "reads" or "ListSchedulers" in its methods, is missing in server.clients.rules',
    );
  });

  it('a node writes about itself, and what it says of others goes nowhere, not even while the manager is away', async () => {
    const here = await world('enforce', [`snapshot.dir=${temporaryDirectory()}`]);
    const [scheduler, operator] = [await here.as('scheduler'), await here.as('operator')];
    expect(await ask(scheduler, UPDATE, node('sched-1'))).toMatchObject({ code: '0' });
    const others = [
      [UPDATE, node('sched-2')],
      [UPDATE, node('sched-1', '127.0.0.8')],
      [UPDATE, node('')],
      [SEED, { ...node('sched-2'), seed_peer_cluster_id: 1 }],
      [DELETE, { hostname: 'sched-2', ip: '127.0.0.9', seed_peer_cluster_id: 1 }],
      [DELETE, { hostname: 'sched-1', seed_peer_cluster_id: 1 }],
      [KEEP, { source_type: 'SCHEDULER_SOURCE', hostname: 'sched-2', ip: '127.0.0.9', cluster_id: 1 }],
    ] as const;
    for (const [path, fields] of others) {
      const outcome = await ask(scheduler, path, fields);
      expect([path, outcome.code]).toEqual([path, '7']);
      expect(outcome.message).toContain('the rule for it (schedulers) has onlyItself');
      expect(outcome.message).toContain(`hostname "${fields.hostname}"`);
    }
    // An operator has registered another one here, so that its registration would be written down.
    expect(await ask(operator, UPDATE, node('sched-2'))).toMatchObject({ code: '0' });
    await here.manager.stop();
    await here.running.seen((event) => event.kind === 'address-state-changed' && event.to === 'failed');
    expect(await ask(scheduler, UPDATE, node('sched-2'))).toMatchObject(REFUSED);
    expect(here.running.events.filter(({ kind }) => kind === 'registration-journaled')).toEqual([]);
    expect((await ask(operator, UPDATE, node('sched-2'))).trailers['x-dfmgw-write']).toBe('journaled');
    expect([UPDATE, SEED, DELETE, KEEP].map((path) => askedOf(here, path))).toEqual([2, 0, 0, 0]);
  });

  it('what cannot be read, or is more than a message, is about nobody', async () => {
    const here = await world('enforce');
    const scheduler = await here.as('scheduler');
    const garbage = scheduler.open(UPDATE);
    void garbage.send(Buffer.from('no such message'));
    garbage.halfClose();
    expect((await garbage.outcome).message).toContain('which cannot be read');
    const two = scheduler.open(UPDATE);
    void two.send(requestOf(UPDATE, node('sched-1')));
    void two.send(requestOf(UPDATE, node('sched-2')));
    two.halfClose();
    expect(await two.outcome).toMatchObject(REFUSED);
    expect(askedOf(here, UPDATE)).toBe(0);
  });

  it.each(['observe', 'bypass'])('they hold in mode %s, too', async (mode) => {
    const here = await world('enforce', [`mode=${mode}`]);
    expect(await ask(await here.as('daemon'), LIST)).toMatchObject({ code: '0' });
    expect(await ask(await here.as('nobody'), LIST)).toMatchObject(REFUSED);
    expect(await ask(await here.as('nobody'), HEALTH)).toMatchObject({ code: '0' });
    const scheduler = await here.as('scheduler');
    expect(await ask(scheduler, UPDATE, node('sched-2'))).toMatchObject(REFUSED);
    expect(await ask(scheduler, UPDATE, node('sched-1'))).toMatchObject({ code: '0' });
    expect(here.manager.record.schedulers.map(({ hostname }) => hostname)).not.toContain('sched-2');
  });

  it('an answer from memory is under them, too', async () => {
    const here = await world('enforce');
    expect((await ask(await here.as('daemon'), LIST)).trailers['x-dfmgw-cache']).toBe('miss');
    expect((await ask(await here.as('operator'), LIST)).trailers['x-dfmgw-cache']).toBe('hit');
    expect(await ask(await here.as('nobody'), LIST)).toMatchObject({ ...REFUSED, messages: [] });
  });

  it('a connection that resumes the TLS session of an earlier one is who that was', async () => {
    const here = await world('enforce', [], 'require');
    const options = {
      ca: authority.caCert,
      ...shown.daemon,
      ALPNProtocols: ['h2'],
      maxVersion: 'TLSv1.2' as const,
    };
    const [host = '', port = ''] = here.running.address.split(':');
    const first = tls.connect({ host, port: Number(port), ...options });
    const session = await new Promise<Buffer>((resolve) => first.once('session', resolve));
    first.destroy();
    const again = tls.connect({ host, port: Number(port), ...options, session });
    await new Promise((resolve) => again.once('secureConnect', resolve));
    expect(again.isSessionReused()).toBe(true);
    const resumed = http2.connect(`https://${here.running.address}`, { createConnection: () => again });
    owned.push(() => resumed.destroy());
    const codes = [];
    for (const path of [LIST, UPDATE]) {
      const stream = resumed.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const code = new Promise((resolve) => {
        for (const event of ['response', 'trailers'] as const)
          stream.on(
            event,
            (headers: http2.IncomingHttpHeaders) =>
              headers['grpc-status'] !== undefined && resolve(headers['grpc-status']),
          );
      });
      stream.resume();
      stream.end(framed(requestOf(path, SOMEBODY)));
      codes.push(await code);
    }
    expect(codes).toEqual(['0', '7']);
  });
});

describe('with rules that only warn', () => {
  it('everything passes, is counted, and told of once for each client and method', async () => {
    const here = await world('warn');
    const [daemon, again] = [await here.as('daemon'), await here.as('daemon')];
    for (const caller of [daemon, again, daemon]) {
      expect(await ask(caller, UPDATE, node('d7'))).toMatchObject({ code: '0' });
    }
    expect(await ask(await here.as('nobody'), UPDATE, node('d7'))).toMatchObject({ code: '0' });
    expect(await ask(await here.as('scheduler'), UPDATE, node('sched-2'))).toMatchObject({ code: '0' });
    expect(await ask(daemon, LIST)).toMatchObject({ code: '0' });
    expect(here.forbidden().map(({ rule, outcome, isNews }) => [rule, outcome, isNews])).toEqual([
      ['none', 'warned', true],
      ['none', 'warned', false],
      ['none', 'warned', false],
      ['none', 'warned', true],
      ['schedulers', 'warned', true],
    ]);
    const { host, port } = here.running.bound.metrics ?? { host: '', port: 0 };
    const text = await (await fetch(`http://${host}:${port}/metrics`)).text();
    const counted = text.split('\n').filter((line) => line.includes('client_rules_total{'));
    expect(counted.map((line) => line.replace(/^dragonfly_manager_gateway_/, ''))).toEqual([
      'client_rules_total{rule="none",outcome="warned"} 4',
      'client_rules_total{rule="none",outcome="refused"} 0',
      'client_rules_total{rule="schedulers",outcome="warned"} 1',
      'client_rules_total{rule="daemons",outcome="allowed"} 1',
    ]);
  });
});

describe('with rules that are off', () => {
  it('everybody may do everything, and nobody is looked at', async () => {
    const here = await world('off');
    const nobody = await here.as('nobody');
    for (const path of [LIST, UPDATE, HEALTH])
      expect(await ask(nobody, path, node('x'))).toMatchObject({ code: '0' });
    expect(here.running.events.filter(({ kind }) => kind.startsWith('client-'))).toEqual([]);
  });
});

describe('a reload', () => {
  it('changes the rules for connections that are open', async () => {
    const here = await world('off');
    const daemon = await here.as('daemon');
    const code = async () => (await ask(daemon, UPDATE, node('d7'))).code;
    expect(await code()).toBe('0');
    here.reload('enforce');
    expect(await code()).toBe('7');
    here.reload('warn');
    expect(await code()).toBe('0');
    here.reload('enforce', [
      ...RULES,
      { name: 'more', certificates: ['d7.daemon.example'], methods: ['writes'] },
    ]);
    expect(await code()).toBe('0');
    here.reload('enforce');
    expect(await code()).toBe('7');
  });

  it('that cannot be held is refused, and the rules stay', async () => {
    const here = await world('enforce');
    const daemon = await here.as('daemon');
    expect(() => here.reload('enforce', [])).toThrow();
    expect((await here.running.seen(({ kind }) => kind === 'config-refused')).kind).toBe('config-refused');
    expect(await ask(daemon, LIST)).toMatchObject({ code: '0' });
    expect(await ask(daemon, UPDATE, node('d7'))).toMatchObject(REFUSED);
  });

  it('ends a stream that it forbids with its next message, and the node has its grace to come back', async () => {
    const here = await world('off');
    const scheduler = await here.as('scheduler');
    const name = { hostname: 'sched-1', ip: '127.0.0.9' };
    expect(await ask(scheduler, UPDATE, node('sched-1'))).toMatchObject({ code: '0' });
    const beat = requestOf(KEEP, { source_type: 'SCHEDULER_SOURCE', cluster_id: 1, ...name });
    const active = () =>
      here.manager.record.schedulers.find(({ hostname }) => hostname === 'sched-1')?.state === 'active';
    const first = scheduler.open(KEEP);
    await first.send(beat);
    await until('it is active', active);

    const nothing = [{ name: 'daemons', certificates: ['*.daemon.example'], methods: ['reads'] }];
    here.reload('enforce', nothing);
    await first.send(beat);
    expect(await first.outcome).toMatchObject(REFUSED);
    expect(await ask(scheduler, KEEP, { cluster_id: 1, ...name })).toMatchObject(REFUSED);
    expect(active()).toBe(true);
    expect(here.running.events.filter(({ kind }) => kind === 'node-ended')).toEqual([]);

    // The mistake is mended within the grace.
    here.reload('enforce');
    const second = scheduler.open(KEEP);
    await second.send(beat);
    await until(
      'it beats again',
      () =>
        here.running.events.filter((event) => event.kind === 'client-allowed' && event.rule === 'schedulers')
          .length > 0,
    );
    expect(active()).toBe(true);
    // About another one all of a sudden.
    await second.send(
      requestOf(KEEP, { source_type: 'SCHEDULER_SOURCE', cluster_id: 1, ...name, hostname: 'sched-2' }),
    );
    expect((await second.outcome).message).toContain('hostname "sched-2"');
  });
});
