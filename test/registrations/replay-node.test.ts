import { expect, it } from 'vitest';
import {
  ANSWERED,
  deleting,
  NOT_FOUND,
  nodeOf,
  REFUSED,
  registering,
  registrationsBench,
} from '../support/registrations-bench.js';
import { ended } from '../support/scripted-upstream.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const SCHEDULER = nodeOf('scheduler');

async function living(...sets: Parameters<typeof registrationsBench>) {
  const bench = await registrationsBench(...sets);
  bench.alive = () => true;
  return bench;
}

it('a node whose row is gone is registered again as it registered itself, without a look that may speak from a cache', async () => {
  const bench = await living();
  const registration = registering('scheduler');
  await bench.part.write(registration);
  bench.manager(() => ANSWERED);
  expect(await bench.part.replayNode(SCHEDULER, { force: true })).toBe('applied');
  expect(bench.paths()).toEqual(['UpdateScheduler']);
  expect(bench.seen[0]?.message).toEqual(registration.message);
  expect(bench.written).toEqual([registration.path, registration.path]);
  expect(bench.outcomes('node-registered-again')).toEqual(['applied']);
});

it('without force the manager is asked first, and left alone if it shows the node', async () => {
  const bench = await living();
  await bench.part.write(registering('scheduler'));
  bench.manager(() => ANSWERED);
  expect(await bench.part.replayNode(SCHEDULER)).toBe('there-already');
  expect(bench.paths()).toEqual(['GetScheduler']);
});

it('one that never registered here, or with another address, or was deleted, is not known', async () => {
  const bench = await living();
  await bench.part.write(registering('seed-peer'));
  bench.manager(() => ANSWERED);
  for (const over of [{ ip: '127.0.0.9' }, { hostname: 'm' }, { clusterId: '2' }, { source: 'PEER_SOURCE' }])
    expect(await bench.part.replayNode(nodeOf('seed-peer', over), { force: true })).toBe('unknown');
  expect(await bench.part.replayNode(SCHEDULER, { force: true })).toBe('unknown');
  expect(bench.seen).toEqual([]);
  await bench.part.write(deleting());
  expect(await bench.part.replayNode(nodeOf('seed-peer'), { force: true })).toBe('unknown');
});

it('nothing is sent while it may be another manager, or none works', async () => {
  const bench = await living();
  await bench.part.write(registering('scheduler'));
  bench.manager(() => ANSWERED);
  bench.frozen = 'another manager';
  expect(await bench.part.replayNode(SCHEDULER, { force: true })).toBe('later');
  bench.frozen = undefined;
  bench.managerAway();
  expect(await bench.part.replayNode(SCHEDULER, { force: true })).toBe('later');
  expect(bench.seen).toEqual([]);
});

it('nor if that is found out while it waits for its time', async () => {
  const bench = await living();
  await bench.part.write(registering('scheduler'));
  bench.manager(() => ANSWERED);
  bench.paced = async () => {
    bench.frozen = 'another manager';
  };
  expect(await bench.part.replayNode(SCHEDULER, { force: true })).toBe('later');
  expect(bench.seen).toEqual([]);
});

it.each([false, undefined])('nor if the node leaves meanwhile (%s)', async (left) => {
  const bench = await living();
  await bench.part.write(registering('seed-peer'));
  bench.manager(() => ANSWERED);
  bench.paced = async () => {
    bench.alive = () => left;
  };
  expect(await bench.part.replayNode(nodeOf('seed-peer'), { force: true })).toBe('later');
  expect(bench.seen).toEqual([]);
});

it.each([
  ['refused', ended(3, 'invalid')],
  ['later', REFUSED],
  ['later', ended(8, 'rejected by grpc_ratelimit middleware')],
] as const)('it is %s where the manager says so', async (outcome, reply) => {
  const bench = await living();
  await bench.part.write(registering('scheduler'));
  bench.manager(() => reply);
  expect(await bench.part.replayNode(SCHEDULER, { force: true })).toBe(outcome);
});

it.each([
  ['applied', ANSWERED, true],
  ['later, and nobody knows whether it was applied,', REFUSED, true],
  ['refused', ended(3, 'invalid'), false],
] as const)('where it is %s the shield hears of it if it may have been', async (_, reply, heard) => {
  const bench = await living();
  await bench.part.write(registering('seed-peer'));
  bench.manager(() => reply);
  await bench.part.replayNode(nodeOf('seed-peer'), { force: true });
  expect(bench.registered).toEqual(heard ? [nodeOf('seed-peer')] : []);
});

it('where it is not sent the shield hears of nothing', async () => {
  const bench = await registrationsBench();
  await bench.part.write(registering('seed-peer'));
  bench.manager(() => ANSWERED);
  await bench.part.replayNode(nodeOf('seed-peer'), { force: true });
  expect([bench.seen, bench.registered]).toEqual([[], []]);
});

it('a registration of an outage is no longer pending then; one with another address is', async () => {
  const bench = await living([`snapshot.dir=${temporaryDirectory()}`]);
  await bench.part.write(registering('scheduler'));
  bench.managerAway();
  await bench.part.write(registering('scheduler', { ip: '127.0.0.9' }));
  bench.manager(() => ANSWERED);
  expect(await bench.part.replayNode(SCHEDULER, { force: true })).toBe('applied');
  expect(bench.part.pending()).toBe(1);
  expect(await bench.part.replayNode(nodeOf('scheduler', { ip: '127.0.0.9' }), { force: true })).toBe(
    'applied',
  );
  expect([bench.part.pending(), bench.paths()]).toEqual([0, ['UpdateScheduler', 'UpdateScheduler']]);
});

it('a deletion that came first is not undone by one that was waiting for its turn', async () => {
  const bench = await living();
  await bench.part.write(registering('seed-peer'));
  bench.manager(() => NOT_FOUND);
  const deleted = bench.part.write(deleting());
  const replayed = bench.part.replayNode(nodeOf('seed-peer'), { force: true });
  await deleted;
  expect(await replayed).toBe('unknown');
  expect(bench.paths()).toEqual(['DeleteSeedPeer']);
});
