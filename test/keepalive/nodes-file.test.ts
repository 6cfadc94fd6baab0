import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BootMoment } from '../../src/durable/boot-clock.js';
import type { NodeRecord } from '../../src/keepalive/node.js';
import { createNodesFile, type NodesFile } from '../../src/keepalive/nodes-file.js';
import type { KeptNode } from '../../src/keepalive/nodes-format.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import { recordOf } from '../support/claimant.js';
import { heldDirectory } from '../support/held-directory.js';
import { ManualClock } from '../support/manual-clock.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';

const GRACE_MS = 25_000;
const THREE_BEATS_MS = 15_000;

/** One start of a machine, on which several processes live one after the other. */
class Machine {
  readonly clock = new ManualClock();
  bootId = 'boot-1';
  readonly boot = (): BootMoment => ({ bootId: this.bootId, sinceBootMs: this.clock.nowMs() });
}

interface Process {
  readonly file: NodesFile;
  kept: KeptNode[];
  revision: number;
  /** What it was asked to take back, and for whom. */
  readonly recovered: { records: readonly NodeRecord[]; former: string }[];
  readonly events: GatewayEvent[];
}

function start(dir: string, machine: Machine, over: { fleetId?: string; held?: boolean } = {}): Process {
  const events: GatewayEvent[] = [];
  const directory = heldDirectory(dir);
  const made: Process = {
    kept: [],
    revision: 0,
    recovered: [],
    events,
    file: createNodesFile({
      directory: { ...directory, held: over.held ?? directory.held },
      fleetId: over.fleetId ?? 'f1',
      graceMs: GRACE_MS,
      replica: 'replica-1',
      kept: () => made.kept,
      revision: () => made.revision,
      recover: async (records, former) => {
        made.recovered.push({ records, former });
        return records.length - 1;
      },
      clock: machine.clock,
      bootClock: machine.boot,
      emit: (event) => void events.push(event),
    }),
  };
  return made;
}

const fileIn = (dir: string): string => join(dir, readdirSync(dir)[0] ?? '');

/** A process that held these nodes, heard so long ago, and was killed. */
async function killedWith(dir: string, machine: Machine, heardMsAgo: readonly number[]): Promise<void> {
  const one = start(dir, machine);
  one.kept = heardMsAgo.map((ms, n) => ({
    record: recordOf(`node-${n}`),
    lastBeatAtMs: machine.clock.nowMs() - ms,
  }));
  one.revision++;
  one.file.start();
  machine.clock.advance(1_000);
  await until('the nodes are written', () => readdirSync(dir).some((name) => name.endsWith('.v1')));
}

async function restarted(dir: string, machine: Machine, over: Parameters<typeof start>[2] = {}) {
  const next = start(dir, machine, over);
  await next.file.load();
  next.file.start();
  await machine.clock.advanceAsync(0);
  return next;
}

test('nodes of a gateway that was killed are taken back by the next one, under the name they had', async () => {
  const [dir, machine] = [temporaryDirectory(), new Machine()];
  await killedWith(dir, machine, [0, 0]);
  expect(statSync(fileIn(dir)).mode & 0o777).toBe(0o600);
  const next = await restarted(dir, machine);
  expect(next.recovered).toEqual([
    { records: [recordOf('node-0'), recordOf('node-1')], former: 'replica-1' },
  ]);
  expect(next.events).toEqual([{ kind: 'nodes-recovered', recovered: 1, elsewhere: 1, tooOld: 0 }]);
});

test('but not those that were silent for the grace and three beats', async () => {
  const [dir, machine] = [temporaryDirectory(), new Machine()];
  const limitMs = GRACE_MS + THREE_BEATS_MS;
  await killedWith(dir, machine, [0, 10_000]);
  machine.clock.advance(limitMs - 1_000 - 5_000);
  const next = await restarted(dir, machine);
  expect(next.recovered.map(({ records }) => records)).toEqual([[recordOf('node-0')]]);
  machine.clock.advance(5_000);
  const late = await restarted(dir, machine);
  expect(late.recovered).toEqual([]);
  expect(late.events).toMatchObject([{ recovered: 0, tooOld: 2 }]);
});

test('none after the machine was started anew, whatever the wall clock says', async () => {
  const [dir, machine] = [temporaryDirectory(), new Machine()];
  await killedWith(dir, machine, [0]);
  machine.bootId = 'boot-2';
  machine.clock.jumpWall(-60_000);
  expect((await restarted(dir, machine)).recovered).toEqual([]);
});

test.each([
  ['of another fleet', { fleetId: 'f2' }],
  ['of a gateway that still runs', { held: false }],
])('none %s', async (_, over) => {
  const [dir, machine] = [temporaryDirectory(), new Machine()];
  await killedWith(dir, machine, [0]);
  expect((await restarted(dir, machine, over)).recovered).toEqual([]);
});

test('a file that was damaged anywhere gives what is sound, and never throws', async () => {
  const [dir, machine] = [temporaryDirectory(), new Machine()];
  await killedWith(dir, machine, [0, 0, 0]);
  const sound = readFileSync(fileIn(dir));
  const nodes: number[] = [];
  for (let at = 0; at < sound.length; at += 3) {
    const broken = Buffer.from(sound);
    broken[at] = (broken[at] as number) ^ 0xff;
    writeFileSync(fileIn(dir), broken);
    const next = await restarted(dir, machine);
    nodes.push(next.recovered[0]?.records.length ?? 0);
    await next.file.stop();
  }
  expect(new Set(nodes)).toEqual(new Set([0, 2]));
});

test('a node that leaves is no longer there within a second, and beats are written down from time to time', async () => {
  const [dir, machine] = [temporaryDirectory(), new Machine()];
  await killedWith(dir, machine, [0]);
  const one = await restarted(dir, machine);
  const contents = (): string => readFileSync(fileIn(dir), 'latin1');
  one.kept = [{ record: recordOf('other'), lastBeatAtMs: machine.clock.nowMs() }];
  one.revision++;
  await machine.clock.advanceAsync(1_000);
  await until('the change is written', () => contents().includes('other') && !contents().includes('node-0'));
  const before = contents();
  await machine.clock.advanceAsync(1_000);
  expect(contents()).toBe(before);
  await machine.clock.advanceAsync(GRACE_MS / 4);
  await until('the beats are written', () => contents() !== before);
});

test('a gateway without a directory has nothing to do', async () => {
  const one = start('', new Machine());
  await one.file.load();
  one.file.start();
  await one.file.stop();
  expect(one.events).toEqual([]);
});
