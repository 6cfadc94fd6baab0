import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { runDoctor } from '../../src/cli/doctor/doctor.js';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { asLine } from '../../src/cli/doctor/report.js';
import {
  type SimulatedManager,
  type SimulatedManagerOptions,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { makeCertificates } from '../support/certificates.js';
import { configOf } from '../support/data-path.js';
import { expiredPair } from '../support/expired-pair.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const owned: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of owned.splice(0).reverse()) await end();
});

async function manager(options: SimulatedManagerOptions = {}): Promise<SimulatedManager> {
  const made = await startSimulatedManager(options);
  owned.push(() => made.stop());
  return made;
}

async function redis(args: readonly string[] = []): Promise<RedisProcess> {
  const made = await startRedis({ args });
  owned.push(() => made.stop());
  return made;
}

interface Examined {
  readonly code: number;
  readonly findings: readonly Finding[];
  /** What is not well, a line each, as a person sees it. */
  readonly trouble: readonly string[];
}

async function doctor(addrs: readonly string[], sets: readonly string[] = []): Promise<Examined> {
  let text = '';
  const config = configOf('', [
    `managers.addrs=${JSON.stringify(addrs)}`,
    'managers.connectTimeout=500ms',
    'server.listen=127.0.0.1:0',
    'server.maxConnections=100',
    'metrics.addr=127.0.0.1:0',
    'admin.addr=127.0.0.1:0',
    // A busy machine is not what is examined here.
    'managers.probe.slow=10s',
    'managers.probe.timeout=11s',
    'managers.probe.interval=12s',
    'redis.timeout=5s',
    `snapshot.dir=${temporaryDirectory()}`,
    ...sets,
  ]);
  const code = await runDoctor({
    config,
    json: true,
    stdout: { write: (part) => (text += part) },
    paint: (_colour, plain) => plain,
    answerMs: 500,
  });
  const { findings } = JSON.parse(text) as { findings: Finding[] };
  const trouble = findings
    .filter(({ verdict }) => verdict !== 'ok')
    .map((finding) => asLine(finding, (_colour, plain) => plain).trimEnd());
  return { code, findings, trouble };
}

function found(examined: Examined, check: string): string | undefined {
  return examined.findings.find((one) => one.check === check)?.found;
}

describe('manager-gateway doctor', () => {
  it('says that all is well, with figures, and ends with 0', async () => {
    const { address } = await manager();
    const { address: shared } = await redis();
    const examined = await doctor([address], [`redis.addrs=["${shared}"]`, 'redis.secret=s', 'fleet.id=f']);
    expect(examined.trouble).toEqual([]);
    expect(examined.code).toBe(0);
    expect(found(examined, 'database')).toMatch(/^3 reads that reach it in [\d.]+ ms to [\d.]+ ms$/);
    expect(found(examined, 'schedulers')).toMatch(/^\d+ active$/);
    expect(found(examined, 'Redis role')).toMatch(/^version [\d.]+, standalone, master$/);
  });

  it('names a name that nobody knows', async () => {
    const { code, trouble } = await doctor(['manager.invalid:65003']);
    expect(code).toBe(2);
    expect(trouble).toEqual([
      expect.stringMatching(/^failure name resolution\s+manager\.invalid:65003: .*(ENOTFOUND|EAI_AGAIN).*→/),
    ]);
  });

  it('names a closed port', async () => {
    const { code, trouble } = await doctor([`127.0.0.1:${await closedPort()}`]);
    expect(code).toBe(2);
    expect(trouble).toEqual([expect.stringMatching(/^failure TCP .*ECONNREFUSED.*→ nothing listens/)]);
  });

  it.each([
    ['dead', 'database-dead', /although its health says SERVING, .*INTERNAL "dial tcp .*→/],
    [
      'frozen',
      'database-frozen',
      /although its health says SERVING, .*DEADLINE_EXCEEDED.*→ its database does not answer/,
    ],
  ] as const)('sees a %s database behind a health that says SERVING', async (_name, kind, line) => {
    const simulated = await manager();
    simulated.setFault({ kind });
    const { code, trouble } = await doctor([simulated.address]);
    expect(code).toBe(2);
    expect(trouble).toEqual([expect.stringMatching(/^failure database /)]);
    expect(trouble[0]).toMatch(line);
  });

  it('names a manager that takes connections and says nothing', async () => {
    const simulated = await manager();
    simulated.setFault({ kind: 'frozen' });
    const { code, trouble } = await doctor([simulated.address]);
    expect(code).toBe(2);
    expect(trouble).toEqual([expect.stringMatching(/^failure HTTP\/2 .*no HTTP\/2 SETTINGS.*→ .*frozen/)]);
  });

  it('warns of a fleet without schedulers, and of lists that the Rust client refuses', async () => {
    const empty = await manager();
    empty.setFault({ kind: 'empty-lists' });
    const old = await manager({ version: 'v2.1.55' });
    const { code, trouble } = await doctor([empty.address, old.address]);
    expect(code).toBe(1);
    expect(trouble).toEqual([
      expect.stringMatching(/^warning schedulers .*no scheduler is active/),
      expect.stringMatching(/^warning schedulers .*without their clusters/),
    ]);
  });

  it('warns of ports in use and of too few descriptors, and fails on a directory that cannot be written', async () => {
    const { address } = await manager();
    const taken = createServer().listen(0, '127.0.0.1');
    owned.push(() => new Promise((closed) => taken.close(closed)));
    await new Promise((listening) => taken.once('listening', listening));
    const { port } = taken.address() as { port: number };
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    const { code, trouble } = await doctor(
      [address],
      [`metrics.addr=127.0.0.1:${port}`, 'server.maxConnections=100000000', `snapshot.dir=${file}`],
    );
    expect(code).toBe(2);
    expect(trouble).toEqual([
      expect.stringMatching(/^failure snapshot .*→ make it writable/),
      expect.stringMatching(new RegExp(`^warning port +metrics.addr 127.0.0.1:${port}: in use →`)),
      expect.stringMatching(/^warning file descriptors .*→ ulimit -n/),
    ]);
  });
});

describe('doctor, of certificates', () => {
  const certificates = makeCertificates();
  const tls = { cert: certificates.server.cert, key: certificates.server.key };
  const https = ({ port }: SimulatedManager): string[] => [`https://localhost:${port}`];

  it('is content with a good one, and says how long it lasts', async () => {
    const simulated = await manager({ tls });
    const examined = await doctor(https(simulated), [`managers.tls.caCert=${certificates.caCert}`]);
    expect(found(examined, 'TLS')).toMatch(/^TLSv1\.3, certificate of server, for localhost, 1 days left$/);
    expect(examined.trouble).toEqual([expect.stringMatching(/^warning TLS .*→ renew it soon/)]);
    expect(examined.code).toBe(1);
  });

  it('names one of an authority that is not known', async () => {
    const simulated = await manager({ tls });
    const { code, trouble } = await doctor(https(simulated));
    expect(code).toBe(2);
    expect(trouble).toEqual([
      expect.stringMatching(/^failure TLS .*signed by test authority, .*→ set managers\.tls\.caCert/),
    ]);
  });

  it('names one for another name', async () => {
    const simulated = await manager({ tls });
    const { code, trouble } = await doctor(https(simulated), [
      `managers.tls.caCert=${certificates.caCert}`,
      'managers.tls.serverName=manager.dragonfly',
    ]);
    expect(code).toBe(2);
    expect(trouble).toEqual([
      expect.stringMatching(/^failure TLS .*not for manager\.dragonfly → set managers\.tls\.serverName/),
    ]);
  });

  it('names one that has expired', async () => {
    const expired = expiredPair();
    const simulated = await manager({ tls: expired });
    const { code, trouble } = await doctor(https(simulated), [`managers.tls.caCert=${expired.cert}`]);
    expect(code).toBe(2);
    expect(trouble).toEqual([
      expect.stringMatching(/^failure TLS .*certificate of localhost expired on .*→ renew/),
    ]);
  });
});

describe('doctor, of Redis', () => {
  const SHARING = ['fleet.id=f', 'redis.secret=s'];

  it('names one that is down', async () => {
    const { address } = await manager();
    const { code, trouble } = await doctor(
      [address],
      [...SHARING, `redis.addrs=["127.0.0.1:${await closedPort()}"]`],
    );
    expect(code).toBe(2);
    expect(trouble).toEqual([
      expect.stringMatching(/^failure Redis .*ECONNREFUSED.*→ without it nothing fails/),
    ]);
  });

  it('names a wrong password', async () => {
    const { address } = await manager();
    const shared = await redis(['--requirepass', 'right']);
    const { code, trouble } = await doctor(
      [address],
      [...SHARING, `redis.addrs=["${shared.address}"]`, 'redis.password=wrong'],
    );
    expect(code).toBe(2);
    expect(trouble).toEqual([expect.stringMatching(/^failure Redis .*WRONGPASS.*→ look at redis\.username/)]);
  });

  it('names a read-only replica', async () => {
    const { address } = await manager();
    const master = await redis();
    const replica = await redis(['--replicaof', '127.0.0.1', String(master.port)]);
    const { code, trouble } = await doctor([address], [...SHARING, `redis.addrs=["${replica.address}"]`]);
    expect(code).toBe(2);
    expect(trouble).toEqual([
      expect.stringMatching(/^failure Redis role .*a read-only replica of 127\.0\.0\.1 → name the master/),
    ]);
  });

  it('warns of one that evicts', async () => {
    const { address } = await manager();
    const shared = await redis(['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru']);
    const { code, trouble } = await doctor([address], [...SHARING, `redis.addrs=["${shared.address}"]`]);
    expect(code).toBe(1);
    expect(trouble).toEqual([expect.stringMatching(/^warning Redis memory .*allkeys-lru → it evicts/)]);
  });

  it('names a user who may not write what the gateway writes', async () => {
    const { address } = await manager();
    const shared = await redis();
    const admin = shared.client();
    await admin.call('ACL', 'SETUSER', 'gate', 'on', '>p', '~other:*', '+@all');
    const { code, trouble } = await doctor(
      [address],
      [...SHARING, `redis.addrs=["${shared.address}"]`, 'redis.username=gate', 'redis.password=p'],
    );
    expect(code).toBe(2);
    expect(trouble).toEqual([
      expect.stringMatching(/^failure Redis .*(NOPERM|No permissions).*→ the user needs/i),
    ]);
  });
});

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}
