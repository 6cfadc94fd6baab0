import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Called, connectCaller } from '../support/caller.js';
import { makeCertificates } from '../support/certificates.js';
import { requestOf } from '../support/data-path.js';
import { type GatewayProcess, runGateway } from '../support/gateway-process.js';
import { type ManagerProcess, startManagerProcess } from '../support/manager-process.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';

/** Each starts several processes, one after the other. */
const SLOW_MS = 120_000;
const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const LIST = '/manager.v2.Manager/ListSchedulers';
const GET = '/manager.v2.Manager/GetScheduler';
const get = (hostname: string) => requestOf(GET, { hostname, scheduler_cluster_id: '1', ip: '127.0.0.1' });
const list = (hostname: string) => requestOf(LIST, { hostname, ip: '127.0.0.9', idc: 'idc-1' });
const REQUESTS = `warmup:
  rate: 1000
  requests:
    - { method: GetScheduler, request: { hostname: sched-a, scheduler_cluster_id: 1, ip: 127.0.0.1 } }
    - { method: ListApplications, request: { hostname: a, ip: 127.0.0.1 } }
`;

let dir: string;
let manager: ManagerProcess;
let redis: RedisProcess;
let gateways: GatewayProcess[];

beforeAll(async () => {
  [manager, redis] = await Promise.all([startManagerProcess(), startRedis()]);
});
afterAll(() => Promise.all([manager.kill(), redis.stop()]));
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dfmgw-job-'));
  gateways = [];
});
afterEach(async () => {
  for (const gateway of gateways) gateway.child.kill('SIGKILL');
  await Promise.all(gateways.map(({ exited }) => exited));
  // Empty, and configured as at first.
  await redis.restart();
  rmSync(dir, { recursive: true });
});

/** For the rest of the test. */
async function killManager(): Promise<void> {
  await manager.kill();
  onTestFinished(() => manager.restart());
}

/** One configuration for all: a cold gateway, and the job that comes before it. */
function configFile(more = ''): string {
  const file = join(dir, 'gateway.yaml');
  writeFileSync(
    file,
    `fleet: { id: f1 }
server: { listen: "127.0.0.1:0" }
managers: { addrs: ["${manager.address}"] }
redis: { addrs: ["${redis.address}"], secret: s3cret, timeout: 2s }
snapshot: { dir: "" }
metrics: { enable: false }
admin: { enable: false }
log: { level: debug }
${more}`,
  );
  return file;
}

async function serve(file: string, ...sets: string[]): Promise<{ gateway: GatewayProcess; address: string }> {
  const gateway = runGateway(['serve', '--config', file, ...sets.flatMap((set) => ['--set', set])]);
  gateways.push(gateway);
  const { listen } = await gateway.line({ event: 'started' });
  return { gateway, address: String(listen) };
}

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

async function run(command: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (part: Buffer) => (said.stdout += part.toString()));
  child.stderr.on('data', (part: Buffer) => (said.stderr += part.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { ...said, code };
}
const warmup = (...args: string[]): Promise<Ended> => run(process.execPath, [MAIN, 'warmup', ...args]);

async function ask(address: string, calls: readonly (readonly [string, Buffer])[]): Promise<Called[]> {
  const caller = await connectCaller(address);
  const called = await Promise.all(calls.map(([path, request]) => caller.call(path, request)));
  await caller.close();
  return called;
}
const sourcesOf = (called: readonly Called[]) =>
  called.map(({ code, trailers }) => [code, trailers['x-dfmgw-cache']]);

/** A gateway was asked this, and has told it; its answers are there no more. */
async function askedBefore(file: string, calls: readonly (readonly [string, Buffer])[]): Promise<void> {
  const { gateway, address } = await serve(file);
  await gateway.line({ event: 'address-state-changed', to: 'healthy' });
  expect(sourcesOf(await ask(address, calls)).map(([code]) => code)).toEqual(calls.map(() => 0));
  gateway.child.kill('SIGTERM');
  expect(await gateway.exited).toBe(0);
  const client = redis.client();
  for (const key of await client.keys('*:answer:*')) await client.del(key);
}

describe('manager-gateway warmup, without --target', { timeout: SLOW_MS }, () => {
  it('fills Redis with what callers ask and the configuration names: with the manager dead a cold gateway answers hits', async () => {
    const file = configFile(REQUESTS);
    const asked: [string, Buffer][] = [
      [GET, get('sched-b')],
      [LIST, list('daemon-1')],
      [LIST, list('daemon-2')],
    ];
    await askedBefore(file, asked);
    const job = await warmup('--config', file);
    expect(job.stderr).toBe('');
    // The lists of two daemons of one place are one question to the manager, and two to whoever warms up.
    expect(job.stdout).toMatch(/^5 of 5 answers of Redis are warm, in \d+\.\d s$/m);
    expect(job.code).toBe(0);
    await killManager();
    const { address } = await serve(file);
    const called = await ask(address, [...asked, [GET, get('sched-a')], [LIST, list('never-seen')]]);
    expect(sourcesOf(called)).toEqual(called.map(() => [0, 'hit']));
    expect(called.every(({ response }) => (response?.length ?? 0) > 0)).toBe(true);
  });

  it('is no sign that somebody wants it: what nobody asks any more is not warmed up for ever', async () => {
    const file = configFile();
    await askedBefore(file, [[GET, get('sched-a')]]);
    const client = redis.client();
    const last = await client.zrange('dfmgw:1:{f1}:asked-last', '0', '-1', 'WITHSCORES');
    const use = await client.zrange('dfmgw:1:{f1}:asked-use', '0', '-1', 'WITHSCORES');
    expect((await warmup('--config', file)).code).toBe(0);
    expect(await client.zrange('dfmgw:1:{f1}:asked-last', '0', '-1', 'WITHSCORES')).toEqual(last);
    expect(await client.zrange('dfmgw:1:{f1}:asked-use', '0', '-1', 'WITHSCORES')).toEqual(use);
  });

  it('says in JSON how each question ended, and nothing else', async () => {
    const file = configFile(REQUESTS);
    await askedBefore(file, [[GET, get('sched-b')]]);
    const { code, stdout } = await warmup('--config', file, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      total: 3,
      warm: 3,
      stale: 0,
      failed: 0,
      questions: [
        { method: 'GetScheduler', request: { hostname: 'sched-a' }, outcome: { kind: 'warm' } },
        { method: 'ListApplications', version: 'v2' },
        { method: 'GetScheduler', version: 'v2', learned: true, request: { hostname: 'sched-b' } },
      ],
    });
    expect(code).toBe(0);
  });

  it('draws a bar in a terminal, and writes plain lines into a pipe', async () => {
    const file = configFile(REQUESTS);
    const command = `${process.execPath} ${MAIN} warmup --config ${file}`;
    const inTerminal = await run('script', ['-qec', command, '/dev/null']);
    expect(inTerminal.code).toBe(0);
    const over = '\r\u001b[2K';
    expect(inTerminal.stdout).toContain(`${over}[${'#'.repeat(15)}${'.'.repeat(15)}] 1/2  `);
    expect(inTerminal.stdout).toContain(`${over}[${'#'.repeat(30)}] 2/2  `);
    const piped = await warmup('--config', file);
    expect(piped.stdout).toMatch(
      /^1 of 2 warm\n2 of 2 warm\n2 of 2 answers of Redis are warm, in \d+\.\d s\n$/,
    );
  });

  it('ends with 1 when the manager does not answer, and names what is not warm', async () => {
    const file = configFile(REQUESTS);
    await killManager();
    const { code, stdout } = await warmup('--config', file, '--timeout', '4s');
    expect(stdout).toMatch(
      /^warmup\.requests\[0\] GetScheduler v2: (UNAVAILABLE manager-gateway: |DEADLINE_EXCEEDED)/m,
    );
    expect(stdout).toMatch(/^0 of 2 answers of Redis are warm/m);
    expect(code).toBe(1);
  });

  it.each([
    [
      'is full',
      async () => void (await redis.client().config('SET', 'maxmemory', '1')),
      /not in Redis \(.*OOM/,
    ],
    ['is not there', () => redis.kill(), /Redis could not be read \(.*ECONNREFUSED/],
  ])(
    'ends with 1 when Redis %s: the manager has answered, and nobody would keep it',
    async (_, harm, words) => {
      const file = configFile(REQUESTS);
      await harm();
      const { code, stdout } = await warmup('--config', file, '--timeout', '6s');
      expect(stdout).toMatch(words);
      expect(stdout).toMatch(/^0 of 2 answers of Redis are warm/m);
      expect(code).toBe(1);
    },
  );

  it('keeps what Redis takes only later: what was not kept is tried again', async () => {
    const file = configFile(REQUESTS);
    const client = redis.client();
    await client.config('SET', 'maxmemory', '1');
    const running = warmup('--config', file, '--timeout', '60s');
    while (Number(/errorstat_OOM:count=(\d+)/.exec(await client.info('errorstats'))?.[1] ?? 0) === 0);
    await client.config('SET', 'maxmemory', '0');
    const { code, stdout } = await running;
    expect(stdout).toMatch(/^2 of 2 answers of Redis are warm/m);
    expect(code).toBe(0);
    expect(await client.keys('*:answer:*')).toHaveLength(2);
  });

  it('ends with 2 when it is used in the wrong way', async () => {
    const file = configFile(REQUESTS);
    const wrong = [
      [['--set', 'redis.addrs=[]'], 'found neither --target nor redis.addrs'],
      [['--ca-cert', file, '--target', 'a:1'], '--ca-cert: found "'],
      [['--target', 'nowhere:x'], '--target: found "nowhere:x"'],
      [['--timeout', 'soon'], '--timeout: found "soon"'],
      [['--set', 'mode=nonsense'], 'mode (--set mode): found "nonsense"'],
      [['--nonsense'], 'unknown option'],
    ] as const;
    const ended = await Promise.all(wrong.map(([args]) => warmup('--config', file, ...args)));
    for (const [nth, { code, stderr }] of ended.entries()) {
      expect(stderr).toContain(wrong[nth]?.[1]);
      expect(code).toBe(2);
    }
  });
});

describe('manager-gateway warmup of a gateway over TLS', { timeout: SLOW_MS }, () => {
  const ours = makeCertificates();
  const strangers = makeCertificates();
  const inFile = (name: string, text: string): string => {
    const file = join(dir, name);
    writeFileSync(file, text);
    return file;
  };

  it('is told whom to trust, and shows who it is', async () => {
    const ca = inFile('ca.pem', ours.caCert);
    const pair = [
      '--cert',
      inFile('client.pem', ours.client.cert),
      '--key',
      inFile('client.key', ours.client.key),
    ];
    const file = configFile(REQUESTS);
    const sets = [
      `server.tls.cert=${inFile('server.pem', ours.server.cert)}`,
      `server.tls.key=${inFile('server.key', ours.server.key)}`,
    ];
    const plain = await serve(file, ...sets);
    const mutual = await serve(file, ...sets, `server.tls.caCert=${ca}`, 'server.tls.clientAuth=require');
    const of = async (target: string, ...more: string[]): Promise<[number, string]> => {
      const { code, stdout, stderr } = await warmup(
        ...['--config', file, '--target', target, '--timeout', '60s', ...more],
      );
      return [code, stdout + stderr];
    };
    const others = inFile('others.pem', strangers.caCert);
    const untrusted = /certificate|DEADLINE_EXCEEDED/;
    const cases: readonly (readonly [
      target: string,
      flags: readonly string[],
      code: number,
      words: RegExp,
    ])[] = [
      [plain.address, ['--ca-cert', ca], 0, /^2 of 2/m],
      [`https://${plain.address}`, ['--ca-cert', ca], 0, /^2 of 2/m],
      [mutual.address, ['--ca-cert', ca, ...pair], 0, /^2 of 2/m],
      // Nobody to trust, somebody else to trust, no certificate, and no TLS at all.
      [`https://${plain.address}`, ['--timeout', '5s'], 1, untrusted],
      [plain.address, ['--ca-cert', others, '--timeout', '5s'], 1, untrusted],
      [mutual.address, ['--ca-cert', ca, '--timeout', '5s'], 1, /^0 of 2/m],
      [plain.address, ['--timeout', '5s'], 1, /^0 of 2/m],
      [`http://${plain.address}`, ['--ca-cert', ca], 2, /https:\/\/ with them/],
      [plain.address, ['--cert', pair[1] ?? ''], 2, /it without --key/],
    ];
    const ended = await Promise.all(cases.map(([target, flags]) => of(target, ...flags)));
    for (const [nth, [, flags, code, words]] of cases.entries())
      expect([flags, ...(ended[nth] ?? [])]).toEqual([flags, code, expect.stringMatching(words)]);
  });
});
