import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ScriptedManager, startScriptedManager } from '../../src/simulator/manager/scripted-manager.js';
import { type Caller, connectCaller } from '../support/caller.js';
import { requestOf, responseOf } from '../support/data-path.js';
import { type GatewayProcess, runGateway } from '../support/gateway-process.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { everythingIn, filesIn, found } from '../support/search.js';

const V1 = '/manager.Manager';
const V2 = '/manager.v2.Manager';
const STORAGE = `${V1}/GetObjectStorage`;
const CERTIFICATE = '/security.Certificate/IssueCertificate';
const MODEL = `${V1}/CreateModel`;
const UNKNOWN = '/manager.v9.Manager/TellSecret';
const LIST = `${V2}/ListSchedulers`;
const GET = `${V2}/GetScheduler`;
const UPDATE = `${V2}/UpdateScheduler`;
const KEEP_ALIVE = `${V2}/KeepAlive`;

/** Each is one secret, and says from where it got out. */
const SECRETS = {
  'the answer of GetObjectStorage': 'canary-object-storage-key',
  'the request of GetObjectStorage': 'canary-object-storage-asker',
  'the answer of IssueCertificate': 'canary-certificate-answer',
  'the request of IssueCertificate': 'canary-certificate-request',
  'the request of CreateModel': 'canary-model-request',
  'the request of an unknown method': 'canary-unknown-request',
  'the answer of an unknown method': 'canary-unknown-answer',
  'the credential of a read': 'canary-credential-of-a-read',
  'the answer to who showed a credential': 'canary-answer-to-credential',
  'the credential of a write': 'canary-credential-of-a-write',
  'the credential of a stream': 'canary-credential-of-a-stream',
};
/** No secrets: that they are found shows that the search finds what is there. */
const PUBLIC = {
  answer: 'public-canary-in-an-answer',
  request: 'public-canary-in-a-request',
  node: 'public-canary-of-a-node',
};

let dir: string;
let redis: RedisProcess;
let manager: ScriptedManager;
let gateway: GatewayProcess;
let caller: Caller;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dfmgw-secrets-'));
  redis = await startRedis();
  manager = await startScriptedManager({ streaming: (path) => path === KEEP_ALIVE, answer });
});
afterEach(async () => {
  await caller.close();
  gateway.child.kill('SIGKILL');
  await gateway.exited;
  await Promise.all([manager.stop(), redis.stop()]);
  rmSync(dir, { recursive: true });
});

function answer({ path, metadata }: { readonly path: string; readonly metadata: object }) {
  const shown = 'authorization' in metadata;
  const message = (): Buffer => {
    switch (path) {
      case STORAGE:
        return responseOf(STORAGE, {
          name: 's3',
          access_key: `${SECRETS['the answer of GetObjectStorage']}-id`,
          secret_key: SECRETS['the answer of GetObjectStorage'],
        });
      case CERTIFICATE:
        return responseOf(CERTIFICATE, {
          certificate_chain: [Buffer.from(SECRETS['the answer of IssueCertificate'])],
        });
      case UNKNOWN:
        return Buffer.from(SECRETS['the answer of an unknown method']);
      case LIST:
        return list(shown ? SECRETS['the answer to who showed a credential'] : PUBLIC.answer);
      case GET:
      case UPDATE:
        return responseOf(GET, {
          hostname: PUBLIC.node,
          ip: '127.0.0.1',
          port: 8002,
          scheduler_cluster_id: '1',
        });
      default:
        return Buffer.alloc(0);
    }
  };
  return path === KEEP_ALIVE ? { ending: 'never' as const } : { messages: [message()] };
}

function list(hostname: string): Buffer {
  const cluster = { id: '1', name: 'c1', scopes: Buffer.from('{}') };
  return responseOf(LIST, {
    schedulers: [
      { hostname, ip: '127.0.0.1', port: 8002, scheduler_cluster_id: '1', scheduler_cluster: cluster },
    ],
  });
}

async function start(mode: string): Promise<void> {
  const sets = [
    `mode=${mode}`,
    'fleet.id=f1',
    'server.listen=127.0.0.1:0',
    `managers.addrs=["${manager.address}"]`,
    `redis.addrs=["${redis.address}"]`,
    'redis.timeout=2s',
    'managers.probe.interval=200ms',
    'metrics.enable=false',
    'admin.enable=false',
    `snapshot.dir=${dir}`,
    'snapshot.interval=50ms',
    'log.level=trace',
  ];
  gateway = runGateway(['serve', ...sets.flatMap((set) => ['--set', set])]);
  const { listen } = await gateway.line({ event: 'started' });
  caller = await connectCaller(String(listen));
}

/** Everything that a caller may say or hear that is nobody else's business, and some that is everybody's. */
async function talk(): Promise<void> {
  const node = {
    source_type: 'SCHEDULER_SOURCE',
    hostname: PUBLIC.node,
    ip: '127.0.0.1',
    scheduler_cluster_id: '1',
  };
  const ask = { hostname: PUBLIC.request, ip: '127.0.0.9' };
  const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });
  const asker = { hostname: SECRETS['the request of GetObjectStorage'], ip: '127.0.0.9' };
  const csr = { csr: Buffer.from(SECRETS['the request of IssueCertificate']) };
  const stream = { source_type: 'SCHEDULER_SOURCE', hostname: PUBLIC.node, ip: '127.0.0.1', cluster_id: '1' };
  const alive = bearer(SECRETS['the credential of a stream']);
  for (const credential of [alive, {}]) {
    const open = caller.begin(KEEP_ALIVE, requestOf(KEEP_ALIVE, stream), credential, true);
    open.called.catch(() => undefined);
  }
  for (let times = 0; times < 2; times++) {
    const called = await Promise.all([
      caller.call(STORAGE, requestOf(STORAGE, asker)),
      caller.call(CERTIFICATE, requestOf(CERTIFICATE, csr)),
      caller.call(MODEL, Buffer.from(SECRETS['the request of CreateModel'])),
      caller.call(UNKNOWN, Buffer.from(SECRETS['the request of an unknown method'])),
      caller.call(LIST, requestOf(LIST, ask)),
      caller.call(LIST, requestOf(LIST, ask), bearer(SECRETS['the credential of a read'])),
      caller.call(GET, requestOf(GET, node)),
      caller.call(
        UPDATE,
        requestOf(UPDATE, { ...node, port: 8002 }),
        bearer(SECRETS['the credential of a write']),
      ),
    ]);
    expect(called.map(({ code }) => code)).toEqual(called.map(() => 0));
    const storage = called[0]?.response?.toString('latin1') ?? '';
    expect(storage).toContain(SECRETS['the answer of GetObjectStorage']);
  }
}

describe.each(['answer', 'observe'])('in mode %s', { timeout: 90_000 }, (mode) => {
  it('secrets are neither in Redis, nor in any file, nor in the log', async () => {
    await start(mode);
    await gateway.line({ event: 'redis-connected' });
    if (mode === 'answer') await gateway.line({ event: 'address-state-changed', to: 'healthy' });
    await talk();
    const client = redis.client();
    // While the stream is open, and what it is worth lies in Redis.
    if (mode === 'answer') while ((await client.keys('*:answer:*')).length < 2);
    await gateway.line({ event: 'snapshot-written' });
    const during = [...(await everythingIn(client)), ...Object.values(filesIn(dir))];
    if (mode === 'answer') {
      // A registration waits for the manager; one with a credential would wait with it, and is refused.
      await manager.stop();
      const node = {
        source_type: 'SCHEDULER_SOURCE',
        hostname: PUBLIC.node,
        ip: '127.0.0.1',
        scheduler_cluster_id: '1',
      };
      const credential = { authorization: `Bearer ${SECRETS['the credential of a write']}` };
      const request = requestOf(UPDATE, { ...node, port: 8002 });
      expect((await caller.call(UPDATE, request)).trailers['x-dfmgw-write']).toBe('journaled');
      expect((await caller.call(UPDATE, request, credential)).code).toBe(14);
    }
    await caller.close();
    gateway.child.kill('SIGTERM');
    await gateway.exited;
    const files = filesIn(dir);
    const inRedis = await everythingIn(client);
    const log = Buffer.from(JSON.stringify(gateway.lines) + gateway.stderr());
    expect(found([...during, ...inRedis, ...Object.values(files), log], SECRETS)).toEqual([]);
    // The search finds what is there.
    const fileOf = (kind: string): Buffer[] => [
      files[Object.keys(files).find((name) => name.startsWith(kind)) ?? ''] ?? Buffer.alloc(0),
    ];
    expect(found(fileOf('answers-'), PUBLIC)).toEqual(['answer', 'node']);
    expect(found(fileOf('learned-'), PUBLIC)).toEqual(['request', 'node']);
    expect(found(fileOf('registrations-'), PUBLIC)).toEqual(['node']);
    expect(found(inRedis, PUBLIC)).toEqual(
      mode === 'answer' ? ['answer', 'request', 'node'] : ['request', 'node'],
    );
  });
});
