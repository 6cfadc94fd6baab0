import { expect, it } from 'vitest';
import { requestOf } from '../support/data-path.js';
import {
  ANSWERED,
  NODE,
  NOT_FOUND,
  nodeOf,
  type RegistrationsBench,
  registering,
  registrationsBench,
} from '../support/registrations-bench.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const HOURS_MS = 3_600_000;
const LIST = '/manager.v2.Manager/ListSchedulers';

/** Acknowledged while the manager was away; it is back, and has no row of the node. */
async function pending(...args: Parameters<typeof registering>): Promise<RegistrationsBench> {
  const bench = await registrationsBench([`snapshot.dir=${temporaryDirectory()}`]);
  await bench.part.write(registering(...args));
  bench.managerAway();
  expect((await bench.part.write(registering(...args))).journaled).toBe(true);
  bench.manager(({ path }) => (path.includes('/Get') ? NOT_FOUND : ANSWERED));
  return bench;
}

const replays = (bench: RegistrationsBench): string[] => bench.outcomes('registration-replayed');

it('a scheduler of which nobody knows whether it lives is registered: that does not set it active', async () => {
  const bench = await pending('scheduler');
  bench.part.look();
  await bench.untilReplays(1);
  expect(bench.paths()).toEqual(['GetScheduler', 'UpdateScheduler']);
});

it('so is a seed peer of the API of before, which is not set active either', async () => {
  const bench = await pending('seed-peer', {}, 'manager.Manager');
  bench.part.look();
  await bench.untilReplays(1);
  expect(replays(bench)).toEqual(['applied']);
});

it('a seed peer is not, for nothing would ever set it inactive again; it is when its stream is alive', async () => {
  const bench = await pending('seed-peer');
  bench.part.look();
  await bench.clock.advanceAsync(60_000);
  expect([bench.seen, replays(bench), bench.part.pending()]).toEqual([[], [], 1]);
  bench.alive = () => true;
  bench.part.aliveNow(nodeOf('seed-peer', { ip: '127.0.0.9' }));
  expect(bench.seen).toEqual([]);
  bench.part.aliveNow(nodeOf('seed-peer'));
  await bench.untilReplays(1);
  expect([replays(bench), bench.paths()]).toEqual([['applied'], ['GetSeedPeer', 'UpdateSeedPeer']]);
});

it('it is found alive at another replica without anybody saying so', async () => {
  const bench = await pending('seed-peer');
  bench.part.look();
  await bench.clock.advanceAsync(12_000);
  bench.alive = ({ ip }) => ip === NODE.ip;
  await bench.untilReplays(1);
  expect(replays(bench)).toEqual(['applied']);
});

it('one that opens no stream is alive when it asks for schedulers, as it does every minute', async () => {
  const bench = await pending('seed-peer');
  const asks = (over: object): void =>
    bench.part.heard(LIST, requestOf(LIST, { source_type: 'SEED_PEER_SOURCE', ...NODE, ...over }));
  asks({});
  bench.part.look();
  await bench.clock.advanceAsync(60_000);
  asks({ ip: '127.0.0.9' });
  asks({ hostname: 'm' });
  await bench.clock.advanceAsync(60_000);
  expect(replays(bench)).toEqual([]);
  asks({});
  await bench.untilReplays(1);
  expect(replays(bench)).toEqual(['applied']);
});

it('one that gives no sign of life for a day is given up, however the clock on the wall is set', async () => {
  const bench = await pending('seed-peer');
  bench.part.look();
  bench.clock.jumpWall(1_000 * HOURS_MS);
  await bench.clock.advanceAsync(23 * HOURS_MS);
  expect(bench.part.pending()).toBe(1);
  await bench.clock.advanceAsync(1.01 * HOURS_MS);
  await bench.untilReplays(1);
  expect([replays(bench), bench.seen, bench.part.pending()]).toEqual([['dead'], [], 0]);
});

it('one whose stream has ended is dead, and never registered', async () => {
  const bench = await pending('seed-peer');
  bench.alive = () => false;
  bench.part.look();
  await bench.untilReplays(1);
  expect([replays(bench), bench.seen, bench.part.pending()]).toEqual([['dead'], [], 0]);
});

it('those that are waited for keep no other waiting, and many that come alive at once keep to the rate', async () => {
  const bench = await registrationsBench([`snapshot.dir=${temporaryDirectory()}`]);
  const hostnames = Array.from({ length: 20 }, (_, n) => `n-${n}`);
  const all = [
    ...hostnames.map((hostname) => registering('seed-peer', { hostname })),
    registering('scheduler'),
  ];
  for (const one of all) await bench.part.write(one);
  bench.managerAway();
  for (const one of all) await bench.part.write(one);
  bench.manager(({ path }) => (path.includes('/Get') ? NOT_FOUND : ANSWERED));
  bench.part.look();
  await bench.untilReplays(1);
  expect(bench.paths()).toEqual(['GetScheduler', 'UpdateScheduler']);
  bench.alive = () => true;
  const startedAtMs = bench.clock.nowMs();
  for (const hostname of hostnames) bench.part.aliveNow(nodeOf('seed-peer', { hostname }));
  await bench.untilReplays(21);
  expect(bench.clock.nowMs() - startedAtMs).toBeGreaterThanOrEqual(1_900);
});
