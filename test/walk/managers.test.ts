import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { encodeRequest } from '../../src/route/proto.js';
import { connect, type Session } from '../hard/walk/crowd/session.js';
import { startKeeper } from '../hard/walk/stage/keeper.js';
import { keyOfNode, type Managers, startManagers } from '../hard/walk/stage/managers.js';
import { until } from '../support/until.js';

const NODE = { kind: 'seed-peer', clusterId: 1, hostname: 'n', ip: '127.88.0.1' } as const;
const UPDATE = '/manager.v2.Manager/UpdateSeedPeer';
const KEEP = '/manager.Manager/KeepAlive';
const { hostname, ip } = NODE;
const source_type = 'SEED_PEER_SOURCE';
const REGISTRATION = encodeRequest(UPDATE, {
  ...{ source_type, hostname, ip, type: 'super', port: 65006 },
  seed_peer_cluster_id: 1,
});
const BEAT = encodeRequest(KEEP, { source_type, hostname, ip, cluster_id: 1 });

async function start(): Promise<{ managers: Managers; sessions: readonly [Session, Session] }> {
  const keeper = startKeeper(mkdtempSync(join(tmpdir(), 'dfmgw-managers-')));
  onTestFinished(() => keeper.stop());
  const managers = await startManagers(keeper, 1, { said: () => undefined, changed: () => undefined });
  const sessions = managers.addresses.map((address) => connect({ replica: 0, life: 0, address }));
  onTestFinished(() => {
    for (const session of sessions) session.close();
  });
  return { managers, sessions: sessions as unknown as readonly [Session, Session] };
}

it('both managers’ beats of a node are counted, on whatever stream they come', async () => {
  const { managers, sessions } = await start();
  const heard = async (): Promise<number | undefined> =>
    (await managers.rows()).find(({ key }) => key === keyOfNode(NODE))?.heard;
  expect((await sessions[0].call(UPDATE, REGISTRATION, 10_000)).code).toBe(0);
  expect(await heard()).toBe(0);
  const first = sessions[0].open(KEEP);
  first.send(BEAT);
  first.send(BEAT);
  await until('two have come', async () => (await heard()) === 2);
  first.halfClose();
  await until('its end has come', () => first.ended);
  expect(await heard()).toBe(2);
  sessions[1].open(KEEP).send(BEAT);
  await until('a third has come to the other manager', async () => (await heard()) === 3);
});
