import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { createGateway } from '../../src/gateway.js';
import { startSimulatedManager } from '../../src/simulator/manager/simulated-manager.js';
import { makeAuthority, type Pair } from '../support/certificates.js';
import { requestOf } from '../support/data-path.js';
import { watchEvents } from '../support/event-watch.js';
import { ask } from '../support/promises-ask.js';
import { connectWire, type WireCaller } from '../support/promises-wire.js';
import { until } from '../support/until.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const UPDATE = '/manager.v2.Manager/UpdateScheduler';
const KEEP = '/manager.v2.Manager/KeepAlive';

const owned: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of owned.splice(0).reverse()) await end();
});

/** Of the gateway's public certificate, of those of callers, and of the hub. */
const [open, fleet, hub] = [makeAuthority(), makeAuthority(), makeAuthority()];
afterAll(() => {
  for (const authority of [open, fleet, hub]) authority.end();
});

/** What docs/hub-and-spoke.md shows. */
function example(): string {
  const page = readFileSync(new URL('../../docs/hub-and-spoke.md', import.meta.url), 'utf8');
  return /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
}

function files(): string {
  const directory = mkdtempSync(join(tmpdir(), 'hub-'));
  owned.push(() => rmSync(directory, { recursive: true }));
  const [server, client] = [open.leaf('gateway'), hub.leaf('gateway')];
  const contents = {
    'public-tls.crt': server.cert,
    'public-tls.key': server.key,
    'callers-ca.crt': fleet.caCert,
    'hub-ca.crt': hub.caCert,
    'hub-tls.crt': client.cert,
    'hub-tls.key': client.key,
  };
  for (const [name, text] of Object.entries(contents)) writeFileSync(join(directory, name), text);
  return directory;
}

async function startHub(sets: readonly string[]) {
  const manager = await startSimulatedManager({
    tls: { ...hub.leaf('manager'), caCert: hub.caCert, clientAuth: true },
  });
  owned.push(() => manager.stop());
  const directory = files();
  const text = example().replace(/\/tls\/(\w+)\/([\w.]+)/g, (_, whose, name) =>
    join(directory, `${whose}-${name}`),
  );
  const config = loadConfig({
    text,
    env: {},
    sets: [
      'server.listen=127.0.0.1:0',
      `managers.addrs=["https://localhost:${manager.port}"]`,
      'metrics.enable=false',
      'admin.enable=false',
      'snapshot.dir=',
      ...sets,
    ],
  });
  const { events, subscriber, seen } = watchEvents();
  const gateway = createGateway({ config, logDestination: { write: () => undefined }, subscriber });
  owned.push(() => gateway.stop());
  const { listen } = await gateway.start();
  await seen((event) => event.kind === 'address-state-changed' && event.to === 'healthy');
  return { manager, events, address: `localhost:${listen.port}` };
}

const NOBODY: Pair = { cert: '', key: '' };

/** Who trusts what everybody trusts, and shows what the fleet's authority has signed, if anything. */
async function connectTo(address: string, ca: string, client: Pair): Promise<WireCaller> {
  const caller = await connectWire({ address, certificates: { caCert: ca, server: NOBODY, client } });
  owned.push(() => caller.close());
  return caller;
}

it('callers meet a public certificate, the manager meets the gateway, and each may do what it should', async () => {
  const { manager, address } = await startHub([]);
  const daemon = await connectTo(
    address,
    open.caCert,
    fleet.leaf('daemon', { names: 'DNS:a.daemon.example' }),
  );
  const name = { hostname: 's1.node.example', ip: '127.0.0.9' };
  const node = await connectTo(address, open.caCert, fleet.leaf('node', { names: `DNS:${name.hostname}` }));

  const list = { hostname: 'a', ip: '127.0.0.8' };
  expect((await ask(daemon, LIST, list)).trailers['x-dfmgw-cache']).toBe('miss');
  expect((await ask(daemon, LIST, list)).trailers['x-dfmgw-cache']).toBe('hit');
  const row = { ...name, port: 8002, scheduler_cluster_id: 1 };
  expect((await ask(daemon, UPDATE, row)).code).toBe('7');
  expect((await ask(node, UPDATE, row)).code).toBe('0');
  const stream = node.open(KEEP);
  await stream.send(requestOf(KEEP, { source_type: 'SCHEDULER_SOURCE', cluster_id: 1, ...name }));
  await until('it is active', () =>
    manager.record.schedulers.some(({ hostname, state }) => hostname === name.hostname && state === 'active'),
  );
  stream.halfClose();
  expect((await stream.outcome).code).toBe('0');

  // Neither authority is the other's.
  await expect(connectTo(address, hub.caCert, NOBODY)).rejects.toThrow();
  // In TLS 1.3 a client hears of it with its first call.
  const direct = await connectTo(`localhost:${manager.port}`, hub.caCert, fleet.leaf('node'));
  expect((await ask(direct, LIST, list)).code).toBeUndefined();
});

it('callers who have no certificates yet may be let read', async () => {
  const rules = [{ name: 'anybody', certificates: ['(none)'], methods: ['reads'] }];
  const { address, events } = await startHub([
    'server.tls.clientAuth=request',
    `server.clients.rules=${JSON.stringify(rules)}`,
  ]);
  const anybody = await connectTo(address, open.caCert, NOBODY);
  expect((await ask(anybody, LIST, { hostname: 'a', ip: '127.0.0.8' })).code).toBe('0');
  expect((await ask(anybody, UPDATE, { hostname: 'a', ip: '127.0.0.8' })).code).toBe('7');
  expect(events.filter(({ kind }) => kind === 'connection-refused')).toEqual([]);
});

it('a public certificate alone will do where the network says who may come', async () => {
  const { address } = await startHub([
    'server.tls.caCert=',
    'server.tls.clientAuth=none',
    'server.clients.mode=off',
  ]);
  const anybody = await connectTo(address, open.caCert, NOBODY);
  expect((await ask(anybody, LIST, { hostname: 'a', ip: '127.0.0.8' })).code).toBe('0');
});
