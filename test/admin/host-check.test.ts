import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createHostCheck } from '../../src/admin/host-check.js';
import { startSimulatedManager } from '../../src/simulator/manager/simulated-manager.js';
import { refusals } from '../config/refusals.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';

const check = (hosts: readonly string[] = []) =>
  createHostCheck({ hosts: () => hosts, own: ['gw1.corp.example'] });

describe('who calls the admin address', () => {
  it.each([
    ['by an address', ['127.0.0.1:8080', '10.0.0.1', '[::1]:8080', '[fd00::1]']],
    [
      'through a port that is forwarded',
      ['localhost:8080', 'LOCALHOST', 'localhost.:9', 'gw.localhost:8080'],
    ],
    ['by the name of the service', ['manager-gateway:8080', 'gw.ns.svc:8080', 'gw.ns.svc.cluster.local']],
    ['by the name of the machine', ['gw1.corp.example:8080', 'GW1.Corp.Example']],
    ['without a name', [undefined]],
  ])('%s is answered', (_, hosts) => {
    expect(hosts.filter((host) => !check()(host))).toEqual([]);
  });

  it.each([
    [
      'by a name of a stranger’s',
      ['evil.example', 'evil.example:8080', 'localhost.evil.example', '127.0.0.1.evil.example'],
    ],
    [
      'by one that looks like ours',
      ['xgw1.corp.example', 'a.gw1.corp.example', 'corp.example', 'evil-svc.example', 'svc.example'],
    ],
    [
      'by what is no host',
      ['', 'a b.example', 'user@evil.example', '[::1', '[::1]x', 'a.example:port', '.svc'],
    ],
    ['by two labels, as a namespace may be a domain', ['gw.dev:8080']],
  ])('%s is not', (_, hosts) => {
    expect(hosts.filter((host) => check()(host))).toEqual([]);
  });

  it('by a name of admin.hosts is answered', () => {
    const configured = check(['Gateway.example.com', '*.ops.example']);
    const asked = [
      'gateway.example.com',
      'gateway.example.com:443',
      'a.ops.example',
      'ops.example',
      'x.example.com',
    ];
    expect(asked.map(configured)).toEqual([true, true, true, false, false]);
    expect(check(['*'])('evil.example')).toBe(true);
  });
});

describe('admin.hosts', () => {
  it.each([
    ['["gateway.example.com", "*.ops.example", "*"]', undefined],
    ['["http://gateway.example.com"]', 'found "http://gateway.example.com" (it is no name'],
    ['["gateway.example.com:8080"]', 'without a port'],
    ['["a.*.example"]', 'it is no name'],
    ['[""]', 'it is no name'],
  ])('%s', (hosts, words) => {
    const lines = refusals(`admin: { hosts: ${hosts} }`);
    if (words === undefined) expect(lines).toEqual([]);
    else expect(lines.join()).toContain(words);
  });
});

const owned: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of owned.splice(0).reverse()) await end();
});

/** As a browser would send it, which has the name in its address line; `fetch` lets nobody say otherwise. */
function ask(port: number, host: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`${request} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    });
    let text = '';
    socket.on('data', (part) => {
      text += part.toString();
      // Of events there is no end.
      if (text.includes('event: status')) socket.destroy();
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

async function gateway(): Promise<{
  running: RunningGateway;
  admin: number;
  metrics: number;
  hosts: string[];
}> {
  const manager = await startSimulatedManager();
  owned.push(() => manager.stop());
  const hosts: string[] = [];
  const running = await startGateway({
    managers: [manager.address],
    sets: ['admin.enable=true', 'admin.addr=127.0.0.1:0', 'admin.token=t'],
    reread: () => [`admin.hosts=${JSON.stringify(hosts)}`],
  });
  owned.push(() => running.gateway.stop());
  return { running, admin: running.bound.admin?.port ?? 0, metrics: running.bound.metrics?.port ?? 0, hosts };
}

describe('a page that has its name point at the gateway', () => {
  const PATHS = [
    'GET /',
    'GET /page/main.js',
    'GET /api/nodes',
    'GET /api/config',
    'GET /api/events',
    'POST /api/mode',
    'GET /healthy',
  ];

  it('reads nothing, and is told why; who calls by an address goes on as before', async () => {
    const { admin } = await gateway();
    for (const request of PATHS) {
      const refused = await ask(admin, 'evil.example:8080', request);
      expect([request, refused.split('\r\n')[0]]).toEqual([request, 'HTTP/1.1 421 Misdirected Request']);
      expect(refused).toContain('admin.hosts');
      const served = await ask(admin, `127.0.0.1:${admin}`, request);
      expect([request, served.split('\r\n')[0]]).not.toEqual([request, 'HTTP/1.1 421 Misdirected Request']);
    }
  });

  it('may be one of ours, as a reload says', async () => {
    const { running, admin, hosts } = await gateway();
    expect(await ask(admin, 'gateway.example.com', 'GET /api/status')).toContain('421');
    hosts.push('gateway.example.com');
    expect(running.gateway.reload()).toMatchObject({ change: { applied: ['admin.hosts'], needRestart: [] } });
    expect(await ask(admin, 'gateway.example.com', 'GET /api/status')).toContain('200 OK');
  });

  it('may scrape the metrics, by whatever name: there is nothing in them that a name could hide', async () => {
    const { metrics } = await gateway();
    expect(await ask(metrics, 'prometheus-target.example:8000', 'GET /metrics')).toContain('200 OK');
  });
});
