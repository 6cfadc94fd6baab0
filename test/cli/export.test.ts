import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dynconfig } from '../../src/cli/export/dynconfig.js';
import { knownFrom } from '../../src/cli/export/known.js';
import { runExport } from '../../src/cli/export.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { connectCaller } from '../support/caller.js';
import { configOf, requestOf, responseOf } from '../support/data-path.js';
import { startGateway } from '../support/running-gateway.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const GET = '/manager.v2.Manager/GetScheduler';
const APPLICATIONS = '/manager.v2.Manager/ListApplications';
const HEADING = { version: '9', nowWallMs: Date.UTC(2026, 0, 2, 3, 4, 5), source: 'a test' };

/** As protocol.md §7 names them. */
const SCHEDULER_FILE = {
  applications: [
    {
      name: 'gitlab-lfs',
      url: 'https://gitlab.example.com',
      bio: 'Git LFS',
      priority: { value: 3, urls: [{ regex: 'objects/.*', value: 6 }] },
    },
    {
      name: 'docker-registry',
      url: 'https://registry.example.com',
      bio: 'images',
      priority: {
        value: 0,
        urls: [
          { regex: 'blobs/sha256.*', value: 0 },
          { regex: 'manifests/.*', value: 2 },
        ],
      },
    },
  ],
  seedPeerClusterConfig: { loadLimit: 2000 },
  schedulerClusterConfig: { candidateParentLimit: 3, filterParentLimit: 15, jobRateLimit: 10 },
  schedulerClusterClientConfig: { loadLimit: 200 },
};

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('dynconfig.yaml', () => {
  it('of a daemon has the active schedulers of its cluster and the block lists, in camel case', () => {
    const cluster = {
      id: '1',
      name: 'c',
      client_config: json({
        load_limit: 200,
        block_list: { persistent_cache_task: { upload: { tags: ['a'] } } },
      }),
      seed_client_config: json({ block_list: { task: { download: { urls: ['b'] } } } }),
    };
    const scheduler = { port: 8002, state: 'active', scheduler_cluster: cluster };
    const message = responseOf(LIST, {
      schedulers: [
        { ...scheduler, hostname: 'b', ip: '10.0.0.2' },
        { ...scheduler, hostname: 'a', ip: '2001:db8::1' },
        { ...scheduler, hostname: 'gone', ip: '10.0.0.9', state: 'inactive' },
        { ...scheduler, hostname: 'other', ip: '10.0.0.8', scheduler_cluster: { id: '2', name: 'd' } },
      ],
    });
    const known = knownFrom([{ path: LIST, message, ageMs: 5_430_000 }]);
    const [first] = known.clusters;
    if (first === undefined) throw new Error('no cluster');
    const text = dynconfig('dynconfig-daemon', first, known, HEADING);
    expect(parse(text)).toEqual({
      scheduler: { addrs: ['10.0.0.2:8002', '[2001:db8::1]:8002'] },
      clientConfig: { blockList: { persistentCacheTask: { upload: { tags: ['a'] } } } },
      seedClientConfig: { blockList: { task: { download: { urls: ['b'] } } } },
    });
    expect(text.split('\n').slice(0, 3)).toEqual([
      '# dynconfig.yaml for the daemons of cluster 1 "c", to run without a manager.',
      '# Written by manager-gateway 9 at 2026-01-02T03:04:05Z, from a test.',
      '# The manager said this of the cluster 1h30m30s before (2026-01-02T01:33:35Z).',
    ]);
  });

  it('takes each part from the newest answer that has it', () => {
    const cluster = (config: object) => ({ id: '1', name: 'c', config: json(config) });
    const row = { ip: '10.0.0.1', port: 8002, state: 'active' };
    const list = { schedulers: [{ ...row, scheduler_cluster: cluster({ filter_parent_limit: 1 }) }] };
    const older = { schedulers: [{ ...row, ip: '10.0.0.7', scheduler_cluster: cluster({}) }] };
    const own = { ...row, ip: '10.0.0.5', scheduler_cluster: cluster({ filter_parent_limit: 2 }) };
    const { clusters } = knownFrom([
      { path: LIST, message: responseOf(LIST, older), ageMs: 9_000 },
      { path: GET, message: responseOf(GET, own), ageMs: 1_000 },
      { path: LIST, message: responseOf(LIST, list), ageMs: 5_000 },
    ]);
    expect(clusters).toHaveLength(1);
    expect(clusters[0]).toMatchObject({ config: { filter_parent_limit: 2 }, ageMs: 5_000 });
    expect(clusters[0]?.schedulers).toEqual([{ host: '10.0.0.1', port: 8002, active: true }]);
  });

  it('says nothing where the manager said nothing, and takes no text out of its comment', () => {
    const message = responseOf(LIST, {
      schedulers: [
        {
          ip: '10.0.0.1',
          port: 1,
          scheduler_cluster: { id: '1', name: 'x\nevil: true', config: Buffer.from('{') },
        },
      ],
    });
    const known = knownFrom([{ path: LIST, message, ageMs: 0 }]);
    const [first] = known.clusters;
    if (first === undefined) throw new Error('no cluster');
    expect(parse(dynconfig('dynconfig-scheduler', first, known, HEADING))).toEqual({ applications: [] });
  });
});

describe('manager-gateway export', () => {
  let dir: string;
  let manager: SimulatedManager;

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'gateway-export-'));
    manager = await startSimulatedManager();
  });
  afterEach(async () => {
    await manager.stop();
    rmSync(dir, { recursive: true });
  });

  async function run(
    over: { format?: string; target?: string; out?: string; clusterId?: string; idc?: string } = {},
  ) {
    let [out, err] = ['', ''];
    const { idc, clusterId } = over;
    const exit = await runExport({
      config: configOf('', [
        `snapshot.dir=${dir}`,
        'managers.requestTimeout=2s',
        'cache.responseTimer=100ms',
      ]),
      format: over.format ?? 'dynconfig-scheduler',
      target: over.target,
      tls: { caCert: '', cert: '', key: '' },
      asker: {
        hostname: 'daemon-a',
        ip: '127.0.0.2',
        ...(idc === undefined ? {} : { idc }),
        ...(clusterId === undefined ? {} : { clusterId }),
      },
      out: over.out ?? '-',
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
    });
    return { exit, out, err };
  }

  /** A gateway that has been asked by a daemon and a scheduler; the manager is gone for good then. */
  async function gatewayThatKnows() {
    const running = await startGateway({
      managers: [manager.address],
      sets: [`snapshot.dir=${dir}`, 'cache.sharing=exact'],
    });
    const caller = await connectCaller(running.address);
    const who = { source_type: 'PEER_SOURCE', hostname: 'daemon-a', ip: '127.0.0.2' };
    expect((await caller.call(LIST, requestOf(LIST, who))).code).toBe(0);
    expect((await caller.call(APPLICATIONS, requestOf(APPLICATIONS, who))).code).toBe(0);
    await caller.close();
    await manager.stop();
    return running;
  }

  it('writes from the snapshot, with neither manager nor gateway', async () => {
    await (await gatewayThatKnows()).gateway.stop();
    const file = join(dir, 'dynconfig.yaml');
    expect(await run({ out: file })).toEqual({ exit: 0, out: '', err: '' });
    expect(parse(readFileSync(file, 'utf8'))).toEqual(SCHEDULER_FILE);
    const daemon = await run({ format: 'dynconfig-daemon', clusterId: '1' });
    expect(parse(daemon.out)).toEqual({ scheduler: { addrs: ['10.1.0.1:8002', '10.1.0.2:8002'] } });
    expect(daemon.out).toMatch(/^# The manager said this of the cluster \d+s before \(\d{4}-/m);
  });

  it('writes from a gateway that runs, without a manager', async () => {
    const running = await gatewayThatKnows();
    const { exit, out, err } = await run({ target: running.address });
    expect([exit, err]).toEqual([0, '']);
    expect(parse(out)).toEqual(SCHEDULER_FILE);
    const stranger = await run({ target: running.address, idc: 'nobody-has-asked-from-here' });
    expect(stranger.exit).toBe(1);
    expect(stranger.err).toContain(
      'manager.v2.Manager/ListSchedulers: UNAVAILABLE manager-gateway: manager 127',
    );
    await running.gateway.stop();
  });

  it('ends with 1 where nothing is known, and refuses wrong use', async () => {
    const nothing = await run();
    expect(nothing.exit).toBe(1);
    expect(nothing.err).toMatch(/no such file\n.*nothing is known of any cluster\n$/s);
    await (await gatewayThatKnows()).gateway.stop();
    const other = await run({ clusterId: '7' });
    expect([other.exit, other.err]).toEqual([1, expect.stringContaining('known are 1 "cluster-1"')]);
    await expect(run({ format: 'yaml' })).rejects.toThrow(
      '--format: found "yaml"; allowed: dynconfig-scheduler, dynconfig-daemon',
    );
    await expect(run({ target: 'x:y' })).rejects.toMatchObject({ code: 'config-invalid' });
  });
});
