import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { watchFiles } from '../../src/cli/watch-files.js';
import { createRunningConfig } from '../../src/config/running-config.js';
import type { Reloaded } from '../../src/control.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { type Caller, connectCaller } from '../support/caller.js';
import { makeAuthority } from '../support/certificates.js';
import { configOf, requestOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { startGateway } from '../support/running-gateway.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const DELETE = '/manager.v2.Manager/DeleteSeedPeer';
const asked = (manager: SimulatedManager, path: string): number =>
  manager.calls().filter((call) => call.path === path).length;

const owned: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of owned.splice(0).reverse()) await end();
});

async function manager(): Promise<SimulatedManager> {
  const made = await startSimulatedManager();
  owned.push(() => made.stop());
  return made;
}

/** A gateway, and the way to reload it with other keys than it was started with. */
async function gateway(managers: readonly SimulatedManager[], sets: readonly string[] = []) {
  const base = (addrs: readonly SimulatedManager[]): string[] => [
    'server.listen=127.0.0.1:0',
    'admin.enable=false',
    'metrics.addr=127.0.0.1:0',
    'snapshot.dir=',
    `managers.addrs=${JSON.stringify(addrs.map(({ address }) => address))}`,
  ];
  const running = await startGateway({ managers: managers.map(({ address }) => address), sets });
  owned.push(() => running.gateway.stop());
  const caller = await connectCaller(running.address);
  owned.push(() => caller.close());
  const reload = (more: readonly string[], addrs = managers) =>
    running.gateway.reconfigure(configOf('', [...base(addrs), ...sets, ...more]));
  return { running, caller, reload };
}

const list = (caller: Caller) => caller.call(LIST, requestOf(LIST, { hostname: 'a', ip: '127.0.0.2' }));

describe('a reload', () => {
  it('makes a new TTL count at once, for what is remembered already, too', async () => {
    const one = await manager();
    const { caller, reload } = await gateway([one]);
    await list(caller);
    expect((await list(caller)).trailers['x-dfmgw-cache']).toBe('hit');
    const change = reload([
      'cache.methods.ListSchedulers.ttl=0s',
      'cache.methods.ListSchedulers.swr=0s',
      'cache.methods.ListSchedulers.exactTtl=0s',
    ]);
    expect(change.needRestart).toEqual([]);
    expect((await list(caller)).trailers['x-dfmgw-cache']).toBe('miss');
  });

  it('makes a new limit count for the next call', async () => {
    const { caller, reload } = await gateway([await manager()]);
    reload(['server.maxMessageBytes=8']);
    const refused = await caller.call(
      DELETE,
      requestOf(DELETE, { hostname: 'a-long-name', ip: '127.0.0.2', seed_peer_cluster_id: '1' }),
    );
    expect(refused.message).toContain('8');
    expect(refused.code).toBe(8);
  });

  it('goes over to other managers while calls are under way, and loses none', async () => {
    const [old, next] = [await manager(), await manager()];
    const { running, caller, reload } = await gateway([old], ['cache.methods.ListApplications.ttl=0s']);
    const codes: number[] = [];
    let calling = true;
    const path = '/manager.v2.Manager/GetScheduler';
    const load = (async () => {
      for (let turn = 0; calling; turn++) {
        const request = requestOf(path, { hostname: `n${turn}`, ip: '127.0.0.2', scheduler_cluster_id: '1' });
        codes.push((await caller.call(path, request)).code);
      }
    })();
    await running.seen((event) => event.kind === 'manager-answered');
    reload([], [next]);
    const before = asked(next, path);
    while (asked(next, path) < before + 20) await list(caller);
    calling = false;
    await load;
    // "record not found", as from the manager itself.
    expect(new Set(codes)).toEqual(new Set([13]));
    await running.seen((event) => event.kind === 'channel-closed' && event.reason === 'address-changed');
    expect(running.gateway.managers().map(({ address }) => address)).toEqual([next.address]);
  });

  it('keeps the connections to a manager that stays', async () => {
    const [stays, comes] = [await manager(), await manager()];
    const { caller, reload, running } = await gateway([stays]);
    await list(caller);
    const before = stays.stats.connectionsTotal;
    reload([], [stays, comes]);
    await running.seen(
      (event) => event.kind === 'address-state-changed' && event.manager === '1' && event.to === 'healthy',
    );
    expect(stays.stats.connectionsTotal).toBe(before);
    expect(comes.stats.connectionsOpen).toBeGreaterThan(0);
  });

  it('says what was applied and what needs a restart', async () => {
    const { reload, running } = await gateway([await manager()]);
    reload(['log.level=debug', 'mode=bypass', 'cache.sharing=exact']);
    expect(running.gateway.mode).toBe('bypass');
    expect(running.events.filter(({ kind }) => kind === 'config-reloaded')).toEqual([
      { kind: 'config-reloaded', applied: ['mode', 'log.level'], needRestart: ['cache.sharing'] },
    ]);
  });
});

describe('of TLS, a reload', () => {
  const authority = makeAuthority();
  afterAll(() => authority.end());
  const [one, other] = [authority.leaf('one'), authority.leaf('other')];
  const pair = (section: string, { cert, key }: typeof one): string[] => [
    `${section}.tls.cert=${cert}`,
    `${section}.tls.key=${key}`,
  ];
  const changeOf = (before: readonly string[], after: readonly string[]) =>
    createRunningConfig(configOf('', before)).apply(configOf('', after));

  it('takes other certificates where TLS is spoken already', () => {
    const redis = ['redis.tls.enable=true'];
    const from = [...pair('server', one), ...pair('managers', one), ...redis, ...pair('redis', one)];
    const to = [...pair('server', other), ...pair('managers', other), ...redis, ...pair('redis', other)];
    expect(changeOf(from, to)).toEqual({
      applied: ['server', 'managers', 'redis'].flatMap((section) => [
        `${section}.tls.cert`,
        `${section}.tls.key`,
      ]),
      needRestart: [],
    });
  });

  it('begins or ends TLS towards the managers, and towards nobody else', () => {
    const all = [
      ...pair('server', one),
      'redis.tls.enable=true',
      ...pair('redis', one),
      ...pair('managers', one),
    ];
    const { applied, needRestart } = changeOf([], all);
    expect(applied).toEqual(['managers.addrs', 'managers.tls.cert', 'managers.tls.key']);
    expect(needRestart.toSorted()).toEqual([
      ...['redis.tls.cert', 'redis.tls.enable', 'redis.tls.key'],
      ...['server.tls.cert', 'server.tls.key'],
    ]);
  });

  it('asks callers for certificates from the next start on, and takes no authority before it', () => {
    const after = [
      ...pair('server', other),
      'server.tls.clientAuth=require',
      `server.tls.caCert=${authority.caCert}`,
    ];
    expect(changeOf(pair('server', one), after).applied).toEqual([]);
  });
});

describe('a changed file', () => {
  function watched() {
    const dir = mkdtempSync(join(tmpdir(), 'reload-test-'));
    owned.push(() => rmSync(dir, { recursive: true }));
    const clock = new ManualClock();
    const file = join(dir, 'config.yaml');
    let reloads = 0;
    const reload = (): Reloaded => {
      reloads++;
      return { kind: 'refused', detail: '' };
    };
    const start = (): void => {
      const watch = watchFiles({ gateway: { reload }, files: () => [file], clock });
      owned.push(() => watch.stop());
    };
    /** Two looks: whatever was under way when the file changed, the second one sees it. */
    const looks = async (): Promise<void> => {
      for (let look = 0; look < 2; look++) {
        await expect.poll(() => clock.pendingTimers).toBe(1);
        clock.advance(5_000);
      }
      await expect.poll(() => clock.pendingTimers).toBe(1);
    };
    return { dir, file, start, looks, reloads: () => reloads };
  }

  it('is read without a signal, also where it changes by a link, as a ConfigMap does', async () => {
    const { dir, file, start, looks, reloads } = watched();
    writeFileSync(join(dir, 'one'), 'mode: answer\n');
    writeFileSync(join(dir, 'two'), 'mode: observe\n');
    symlinkSync('one', file);
    start();
    await looks();
    expect(reloads()).toBe(0);
    symlinkSync('two', `${file}.new`);
    renameSync(`${file}.new`, file);
    await looks();
    expect(reloads()).toBe(1);
    await looks();
    expect(reloads()).toBe(1);
  });

  it('that was named and not there is read when it is', async () => {
    const { file, start, looks, reloads } = watched();
    start();
    await looks();
    expect(reloads()).toBe(0);
    writeFileSync(file, 'mode: answer\n');
    await looks();
    expect(reloads()).toBe(1);
  });

  it('that is away for a moment is no change', async () => {
    const { file, start, looks, reloads } = watched();
    writeFileSync(file, 'mode: answer\n');
    start();
    await looks();
    rmSync(file);
    await looks();
    writeFileSync(file, 'mode: answer\n');
    await looks();
    expect(reloads()).toBe(0);
  });
});
