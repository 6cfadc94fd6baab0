import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageRoutes } from '../../src/admin/page-files.js';
import { type CanaryCaller, connectCanaryCaller } from '../support/canary-caller.js';
import { type CanaryWorld, startCanaryWorld } from '../support/canary-world.js';
import { everythingIn, filesIn, found, type Words } from '../support/search.js';

/** No secrets: each is in some of the places, and shows that the search finds what is there. */
const HOST = 'beacon-of-a-host';
const DATABASE = 'dial tcp beacon-of-a-database:3306: connection refused';
const POSTS = [
  ['/api/mode', { mode: 'answer' }],
  ['/api/reload', {}],
  ['/api/maintenance', { minutes: 0 }],
  ['/api/cache/refresh', { key: 'k' }],
  ['/api/cache/accept', { key: 'k' }],
  ['/api/cache/drop', { method: 'ListBuckets' }],
  ['/api/accept-manager', {}],
  ['/api/nodes/forget', { clusterId: 1, hostname: 'nobody' }],
] as const;

let world: CanaryWorld;
let caller: CanaryCaller;
/** All that came out of the gateway, by where. */
const places = new Map<string, Buffer[]>();
const keep = (place: string, ...bytes: (Buffer | string)[]): void => {
  places.set(place, [...(places.get(place) ?? []), ...bytes.map((one) => Buffer.from(one))]);
};
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

/** Everything that can be read over HTTP: what the server says there is, each entry of the cache, the page. */
async function readEverything(): Promise<void> {
  const get = async (place: string, url: string): Promise<string> => {
    const response = await fetch(url);
    const body = await response.text();
    keep(place, body, JSON.stringify([...response.headers]));
    return body;
  };
  const named = (await get('api', `${world.admin}/nowhere`)).replace(/^.*there is /, '').trim();
  const paths = named.split(', ');
  expect(paths).toEqual(expect.arrayContaining(['/api/config', '/api/warnings', '/api/history', '/']));
  for (const path of paths) await get('api', world.admin + path);
  for (const path of pageRoutes().keys()) await get('page', world.admin + path);
  const { entries } = JSON.parse(await get('api', `${world.admin}/api/cache?limit=1000`));
  expect(entries.map(({ method }: { method: string }) => method)).toContain('GetObjectStorage');
  for (const { key } of entries) {
    await get('api', `${world.admin}/api/cache/entry?key=${encodeURIComponent(key)}`);
  }
  await get('metrics', `${world.metrics}/metrics`);
}

async function post(path: string, body: unknown, token: string | undefined): Promise<number> {
  const headers = token === undefined ? {} : bearer(token);
  const response = await fetch(world.admin + path, { method: 'POST', headers, body: JSON.stringify(body) });
  keep('api', await response.text(), JSON.stringify([...response.headers]));
  return response.status;
}

async function act(): Promise<void> {
  const token = world.secrets['admin.token'];
  for (const [path, body] of POSTS) {
    expect([await post(path, body, undefined), await post(path, body, 'another')]).toEqual([401, 401]);
    expect([200, 404, 409]).toContain(await post(path, body, token));
    // Who sends it in the wrong place, too, must not find it in the log.
    await post(path, { token }, token);
  }
}

/** What a page is told as it happens, until the end. */
function listen(): void {
  void fetch(`${world.admin}/api/events`)
    .then(async (response) => {
      for await (const chunk of response.body ?? []) keep('events', Buffer.from(chunk));
    })
    .catch(() => undefined);
}

/** All commands that Redis was sent, whatever has become of their values. */
async function monitorRedis(): Promise<void> {
  const monitor = await world.redis.client().monitor();
  // It is killed at the end.
  monitor.on('error', () => undefined);
  monitor.on('monitor', (_time: string, args: string[]) =>
    keep('redis', ...args.map((arg) => Buffer.from(arg, 'latin1'))),
  );
}

async function commands(): Promise<void> {
  const admin = ['--admin', world.admin];
  const node = `hostname=${HOST},ip=127.0.0.9`;
  keep('doctor', await world.run(['doctor']), await world.run(['doctor', '--json']));
  keep('doctor', await world.run(['doctor', '--simulate-caller', node, '--json']));
  keep('doctor', await world.run(['doctor', '--set', 'redis.password=another']));
  keep('status', await world.run(['status', '--json', ...admin]), await world.run(['status', ...admin]));
  keep('commands', await world.run(['reload', ...admin]), await world.run(['serve', '--check']));
  keep('commands', await world.run(['purge', '--method', 'ListSeedPeers', ...admin]));
  keep('commands', await world.run(['export', '--format', 'dynconfig-daemon']));
  keep('commands', await world.run(['status', '--set', 'admin.enable=maybe']));
}

/** Another content of the file, with the secrets where they do not belong: refused, and told why. */
async function refuse(): Promise<void> {
  const { config, file, secrets } = world;
  const wrong = {
    ...config,
    redis: { password: [secrets['redis.password']], secert: secrets['redis.secret'] },
  };
  writeFileSync(file, JSON.stringify({ ...wrong, admin: { token: { is: secrets['admin.token'] } } }));
  expect(await post('/api/reload', null, secrets['admin.token'])).toBe(409);
  await world.gateway.line({ event: 'config-refused' });
  keep('commands', await world.run(['serve', '--check']), await world.run(['doctor']));
  writeFileSync(file, JSON.stringify(config));
}

beforeAll(async () => {
  world = await startCanaryWorld();
  await world.gateway.line({ event: 'redis-connected' });
  await world.gateway.line({ event: 'address-state-changed', to: 'healthy' });
  await monitorRedis();
  listen();
  caller = await connectCanaryCaller(world, HOST);
  await caller.talk();
  await caller.beat();
  await act();
  await caller.talk();
  await readEverything();
  await commands();
  keep('files', ...Object.values(filesIn(world.dir)));

  // An outage, and what is done and said in it.
  world.manager.setFault({ kind: 'database-error', message: DATABASE });
  await world.gateway.line({ event: 'address-state-changed', to: 'failed' });
  await caller.missNode();
  expect((await caller.register(false)).trailers['x-dfmgw-write']).toBe('journaled');
  await caller.register(true);
  await refuse();
  await readEverything();
  keep('doctor', await world.run(['doctor']));
  keep('redis', ...(await everythingIn(world.redis.client())));
  keep('files', ...Object.values(filesIn(world.dir)));
  await caller.close();
  world.gateway.child.kill('SIGTERM');
  await world.gateway.exited;
  keep('files', ...Object.values(filesIn(world.dir)));
  keep('log', JSON.stringify(world.gateway.lines), world.gateway.stderr());
  keep('traces', ...world.collector.bodies);
  keep('statuses', JSON.stringify(caller.outcomes));
}, 120_000);
afterAll(() => world.stop());

const BEACONS: Readonly<Record<string, Words>> = {
  log: { database: DATABASE },
  api: { host: HOST, database: DATABASE },
  events: { database: DATABASE },
  page: { title: '<title>' },
  metrics: { name: 'dragonfly_manager_gateway_answers_total' },
  doctor: { check: 'database' },
  status: { sentence: 'the manager works' },
  commands: { check: 'the configuration is right', refusal: '(hidden)' },
  redis: { host: HOST },
  files: { host: HOST },
  traces: { call: 'manager.Manager/GetObjectStorage' },
  statuses: { trailer: 'x-dfmgw-cache', fault: DATABASE },
};

describe.each(Object.keys(BEACONS))('in what comes out by %s', (place) => {
  it('there is no secret', () => {
    expect(found(places.get(place) ?? [], world.words)).toEqual([]);
  });

  it('there is what is no secret: the search looks at the right thing', () => {
    const beacons = BEACONS[place] ?? {};
    expect(found(places.get(place) ?? [], beacons)).toEqual(Object.keys(beacons));
  });
});

it('every place that was looked at is one of these', () => {
  expect([...places.keys()].toSorted()).toEqual(Object.keys(BEACONS).toSorted());
});

describe('the search finds every secret, written', () => {
  const inLines = (word: Buffer): string => word.toString('base64').replaceAll(/.{20}/g, '$&\n');
  it.each<[string, (word: Buffer) => string | Buffer]>([
    ['as it is', (word) => word],
    ['in hex', (word) => word.toString('hex')],
    ['in capital hex', (word) => word.toString('hex').toUpperCase()],
    ['percent-encoded', (word) => word.toString('hex').replaceAll(/../g, '%$&')],
    ['in base64', (word) => word.toString('base64')],
    [
      'in base64, at another place of three',
      (word) => Buffer.concat([Buffer.from('x'), word]).toString('base64'),
    ],
    ['in base64, at the third', (word) => Buffer.concat([Buffer.from('xx'), word]).toString('base64')],
    ['in base64 for addresses', (word) => word.toString('base64url')],
    ['in base64 in lines', inLines],
    ['in base64 in lines in JSON', (word) => JSON.stringify(inLines(word))],
    ['in base64 of base64', (word) => Buffer.from(word.toString('base64')).toString('base64')],
  ])('%s, in the middle of all that came out', (_how, write) => {
    const log = places.get('log') ?? [];
    for (const [name, word] of Object.entries(world.words)) {
      const planted = Buffer.concat([
        ...log,
        Buffer.from('"a":"'),
        Buffer.from(write(Buffer.from(word))),
        ...log,
      ]);
      expect(found([planted], world.words)).toEqual([name]);
    }
  });
});

it('the secrets were in use: manager and collector have seen theirs', () => {
  const seen = JSON.stringify(world.manager.calls().map(({ metadata }) => metadata));
  expect(seen).toContain(world.secrets['credential of a call']);
  expect(seen).toContain(world.secrets['credential of a stream']);
  const requests = world.manager.calls().map(({ requestBytes }) => requestBytes.toString('latin1'));
  expect(requests.join()).toContain(world.secrets['request of IssueCertificate']);
  expect(world.collector.credentials).toContain(`otlp:${world.secrets['password in tracing.endpoint']}`);
});
