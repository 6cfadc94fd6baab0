import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, expect, it } from 'vitest';
import { watchFiles } from '../../src/cli/watch-files.js';
import { loadConfig } from '../../src/config/load.js';
import { createGateway } from '../../src/gateway.js';
import { startSimulatedManager } from '../../src/simulator/manager/simulated-manager.js';
import { makeAuthority, type Pair } from '../support/certificates.js';
import { requestOf } from '../support/data-path.js';
import { watchEvents } from '../support/event-watch.js';
import { framed } from '../support/framed.js';
import { ManualClock } from '../support/manual-clock.js';
import { startRedis } from '../support/redis-process.js';
import { samplesOf } from '../support/told.js';
import { until } from '../support/until.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const GET = '/manager.v2.Manager/GetScheduler';
const UPDATE = '/manager.v2.Manager/UpdateScheduler';

/** Twelve have each of the ways to be broken among them; 20 under `--hard`. */
const ROTATIONS = Number(process.env.ROTATIONS ?? 12);
const CALLERS = 8;
const CALLS_BETWEEN = 24;
/** A handshake of TLS is a long time on a busy machine. */
const PATIENT_MS = 60_000;

const owned: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of owned.splice(0).reverse()) await end();
});

/** Two, so that callers and files can go over from the one to the other. */
const authorities = [makeAuthority(), makeAuthority()] as const;
afterAll(() => {
  for (const authority of authorities) authority.end();
});
const bundle = authorities.map(({ caCert }) => caCert).join('');

type Files = Readonly<Record<string, string>>;

/** What the gateway shows to callers and to the manager, and whom it believes. */
function filesOf(nth: number): { files: Files; server: Pair } {
  const authority = authorities[nth % 2] ?? authorities[0];
  const [server, client] = [authority.leaf('server'), authority.leaf('gateway')];
  // The same authorities in another order: another file.
  const caCert =
    nth % 3 === 0
      ? bundle
      : authorities
          .map(({ caCert }) => caCert)
          .toReversed()
          .join('');
  const files = {
    'ca.crt': caCert,
    'tls.crt': server.cert,
    'tls.key': server.key,
    'client.crt': client.cert,
    'client.key': client.key,
  };
  return { files, server };
}

/** A directory as Kubernetes mounts a Secret: links through `..data`, which is replaced whole. */
class Mounted {
  readonly directory = mkdtempSync(join(tmpdir(), 'gateway-tls-'));
  #version = 0;

  constructor(files: Files) {
    owned.push(() => rmSync(this.directory, { recursive: true }));
    this.replace(files);
    for (const name of Object.keys(files)) symlinkSync(join('..data', name), this.at(name));
  }

  at(name: string): string {
    return join(this.directory, name);
  }

  replace(files: Files): void {
    const version = `..${++this.#version}`;
    mkdirSync(this.at(version));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.at(version), name), text);
    symlinkSync(version, this.at('..data_tmp'));
    renameSync(this.at('..data_tmp'), this.at('..data'));
  }
}

async function startWorld() {
  const first = filesOf(0);
  const mounted = new Mounted(first.files);
  const manager = await startSimulatedManager({
    tls: { ...authorities[0].leaf('manager'), caCert: bundle, clientAuth: true },
  });
  owned.push(() => manager.stop());
  const redis = await startRedis({
    tls: {
      certificates: {
        caCert: bundle,
        server: authorities[0].leaf('redis'),
        client: authorities[0].leaf('test'),
      },
      clientAuth: true,
    },
  });
  owned.push(() => redis.stop());
  const { events, subscriber, seen } = watchEvents();
  let named: readonly string[] = [];
  const text = JSON.stringify({
    server: {
      listen: '127.0.0.1:0',
      tls: {
        caCert: mounted.at('ca.crt'),
        cert: mounted.at('tls.crt'),
        key: mounted.at('tls.key'),
        clientAuth: 'require',
      },
    },
    managers: {
      addrs: [`https://${manager.address}`],
      tls: { caCert: mounted.at('ca.crt'), cert: mounted.at('client.crt'), key: mounted.at('client.key') },
    },
    fleet: { id: 'rotation' },
    redis: {
      addrs: [redis.address],
      timeout: '5s',
      tls: {
        enable: true,
        caCert: mounted.at('ca.crt'),
        cert: mounted.at('client.crt'),
        key: mounted.at('client.key'),
      },
    },
    metrics: { enable: false },
    admin: { enable: false },
    snapshot: { dir: '' },
    // Every read is to reach the manager.
    cache: { methods: { GetScheduler: { ttl: '0s', swr: '0s', exactTtl: '0s' } } },
  });
  const load = () =>
    loadConfig({
      text,
      env: {},
      sets: [],
      named: (files) => {
        named = files;
      },
    });
  const gateway = createGateway({
    config: load(),
    load,
    logDestination: { write: () => undefined },
    subscriber,
  });
  owned.push(() => gateway.stop());
  const { listen } = await gateway.start();
  await seen((event) => event.kind === 'address-state-changed' && event.to === 'healthy');
  const clock = new ManualClock();
  const watch = watchFiles({ gateway, files: () => named, clock });
  owned.push(() => watch.stop());
  const look = async (): Promise<void> => {
    await until('it has looked', () => clock.pendingTimers === 1, PATIENT_MS);
    clock.advance(5_000);
    await until('it has looked again', () => clock.pendingTimers === 1, PATIENT_MS);
  };
  await look();
  return { mounted, manager, redis: redis.client(), gateway, port: listen.port, events, look, first };
}

const clients = authorities.map((authority) => authority.leaf('client'));

/** A caller of its own connection, who shows a certificate of either authority. */
function connect(port: number, number: number): http2.ClientHttp2Session {
  const session = http2.connect(`https://localhost:${port}`, { ca: bundle, ...clients[number % 2] });
  session.on('error', () => undefined);
  return session;
}

/** What is wrong with the answer, or undefined. */
function call(session: http2.ClientHttp2Session, path: string, request: Buffer): Promise<string | undefined> {
  return new Promise((resolve) => {
    const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
    const stream = session.request(headers);
    let code: unknown = 'no status';
    const take = (block: http2.IncomingHttpHeaders): void => {
      if (block['grpc-status'] !== undefined) code = `${block['grpc-status']} ${block['grpc-message'] ?? ''}`;
    };
    stream.on('response', take);
    stream.on('trailers', take);
    stream.on('error', (error) => resolve(`${path}: ${error.message}`));
    stream.on('close', () => resolve(code === '0 ' ? undefined : `${path}: ${String(code)}`));
    stream.resume();
    stream.end(framed(request));
  });
}

/** Half of the callers keep their connection, half have a new one for every three calls. */
class Load {
  readonly wrong: string[] = [];
  calls = 0;
  stopped = false;

  async run(port: number, number: number): Promise<void> {
    const keeps = number % 2 === 0;
    const node = { hostname: `busy-${number}`, ip: `127.99.0.${number}`, scheduler_cluster_id: 1 };
    let session = connect(port, number >> 1);
    const requests = [
      [UPDATE, requestOf(UPDATE, { ...node, port: 8002 })],
      [GET, requestOf(GET, node)],
      [LIST, requestOf(LIST, node)],
    ] as const;
    while (!this.stopped) {
      for (const [path, request] of requests) {
        const wrong = await call(session, path, request).catch((error: Error) => error.message);
        this.calls++;
        if (wrong !== undefined) this.wrong.push(wrong);
      }
      if (keeps) continue;
      session.destroy();
      session = connect(port, number >> 1);
    }
    session.destroy();
  }
}

/** The certificate that a caller who comes now is shown. */
async function shownAt(port: number): Promise<string> {
  const socket = tls.connect({ port, host: '127.0.0.1', ca: bundle, ...clients[0], ALPNProtocols: ['h2'] });
  try {
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    return socket.getPeerCertificate().fingerprint256;
  } finally {
    socket.destroy();
  }
}

const fingerprint = ({ cert }: Pair): string => new X509Certificate(cert).fingerprint256;

/** Written in part, or the one without the other: what a reader may find who comes at the wrong moment. */
function broken(files: Files, nth: number): Files {
  const { 'tls.crt': cert = '', 'client.key': key = '' } = files;
  switch (nth % 4) {
    case 0:
      return { ...files, 'tls.crt': cert.slice(0, cert.length / 2) };
    case 1:
      return { ...files, 'client.key': '' };
    case 2:
      return { ...files, 'tls.key': key };
    default:
      return { ...files, 'ca.crt': 'no certificate' };
  }
}

it(`${ROTATIONS} rotations under load, broken ones among them, fail no call`, async () => {
  const { mounted, manager, redis, port, events, look, first } = await startWorld();
  const load = new Load();
  const running = Promise.all(Array.from({ length: CALLERS }, (_, number) => load.run(port, number)));
  const refusals = () => events.filter(({ kind }) => kind === 'config-refused').length;
  const connectedToRedis = () => events.filter(({ kind }) => kind === 'redis-connected').length;
  const more = async (): Promise<void> => {
    const enough = load.calls + CALLS_BETWEEN;
    await until('calls are made', () => load.calls >= enough, PATIENT_MS);
  };

  let shown = fingerprint(first.server);
  let refused = 0;
  for (let nth = 1; nth <= ROTATIONS; nth++) {
    const { files, server } = filesOf(nth);
    if (nth % 3 === 0) {
      mounted.replace(broken(files, nth / 3));
      await look();
      expect(refusals()).toBe(++refused);
      expect(await shownAt(port)).toBe(shown);
      await more();
    }
    mounted.replace(files);
    await look();
    shown = fingerprint(server);
    expect(await shownAt(port)).toBe(shown);
    // The manager and Redis let every connection go: the gateway dials anew, with what it has now.
    const connections = manager.stats.connectionsTotal;
    const toRedis = connectedToRedis();
    manager.setFault({ kind: 'connection-age' });
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const dialled = (): boolean => manager.stats.connectionsTotal >= connections + 2;
    await until('the gateway has dialled again', dialled, PATIENT_MS);
    await until('Redis, too', () => connectedToRedis() > toRedis, PATIENT_MS);
    await more();
  }
  load.stopped = true;
  await running;
  expect(load.wrong).toEqual([]);
  expect(refusals()).toBe(refused);
  const failures = Object.values(await samplesOf(events, 'tls_failures_total'));
  expect(failures.length).toBeGreaterThan(0);
  expect(failures.filter((count) => count > 0)).toEqual([]);
}, 300_000);

it('what is read at the wrong moment and mended before the next look is taken then', async () => {
  const { mounted, port, events, look, first } = await startWorld();
  const { files, server } = filesOf(1);
  // Written one after the other, not through `..data`.
  for (const name of ['tls.crt', 'tls.key']) {
    expect(await shownAt(port)).toBe(fingerprint(first.server));
    rmSync(mounted.at(name));
    writeFileSync(mounted.at(name), files[name] ?? '');
    await look();
  }
  expect(await shownAt(port)).toBe(fingerprint(server));
  expect(events.filter(({ kind }) => kind === 'config-refused')).toHaveLength(1);
  expect(JSON.stringify(events)).not.toContain('PRIVATE KEY');
});
