import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { GatewayEvent } from '../../src/observe/events.js';
import { createClassifier } from '../../src/route/classify.js';
import { decodeRequest, requestFieldNumbers } from '../../src/route/proto.js';
import { createLearned, type Learned } from '../../src/warmup/learned.js';
import { createLearnedFile, type LearnedFile } from '../../src/warmup/learned-file.js';
import { bench } from '../support/data-path.js';
import { heldDirectory } from '../support/held-directory.js';
import { ManualClock } from '../support/manual-clock.js';

const classifier = createClassifier({ fleetId: 'f', decoder: { decodeRequest, requestFieldNumbers } });
const events: GatewayEvent[] = [];
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gateway-learned-'));
  events.length = 0;
});
afterEach(() => rmSync(dir, { recursive: true }));

function make(over: { dir?: string; fleetId?: string } = {}): {
  learned: Learned;
  file: LearnedFile;
  clock: ManualClock;
} {
  const clock = new ManualClock();
  const learned = createLearned({ clock });
  const file = createLearnedFile({
    directory: heldDirectory(over.dir ?? dir),
    fleetId: over.fleetId ?? 'f',
    learned,
    questionOf: (path, message) => classifier.question(path, message),
    clock,
    emit: (event) => events.push(event),
  });
  return { learned, file, clock };
}

/** The file of a gateway that was asked by `count` daemons. */
async function written(count: number): Promise<string> {
  const { learned, file } = make();
  const { read } = bench();
  for (let n = 0; n < count; n++)
    learned.note(read('ListSchedulers', { hostname: `d${n}`, ip: '127.0.0.9' }));
  await file.stop();
  const path = join(dir, readdirSync(dir)[0] ?? '');
  return path;
}

test('what was asked for is there after a restart', async () => {
  const path = await written(1_000);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const { learned, file } = make();
  await file.load();
  expect(learned.count).toBe(1_000);
  const another = make({ fleetId: 'another' });
  await another.file.load();
  expect(another.learned.count).toBe(0);
});

test('cut off at any of 200 places, or flipped at any of 200, the sound part is used, and nothing throws', async () => {
  const path = await written(1_000);
  const sound = readFileSync(path);
  let kept = 0;
  for (let place = 0; place < 200; place++) {
    const at = Math.floor((place / 200) * sound.length);
    const flipped = Buffer.from(sound);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (place % 8));
    for (const bytes of [sound.subarray(0, at), flipped]) {
      writeFileSync(path, bytes);
      const { learned, file } = make();
      await file.load();
      expect(learned.count).toBeLessThan(1_000);
      kept += learned.count;
    }
  }
  expect(kept).toBeGreaterThan(200 * 1_000 * 0.9);
  expect(events).toEqual([]);
});

test('it is written every minute, and without a directory nothing is', async () => {
  const { learned, file, clock } = make();
  learned.note(bench().read('ListApplications', {}));
  file.start();
  clock.advance(59_999);
  const names = async () => readdirSync(dir).filter((name) => !name.endsWith('.tmp'));
  expect(await names()).toEqual([]);
  clock.advance(1);
  while ((await names()).length === 0) await new Promise((resolve) => setImmediate(resolve));
  await file.stop();
  const none = make({ dir: '' });
  none.learned.note(bench().read('ListApplications', {}));
  none.file.start();
  await none.file.stop();
  expect(none.clock.pendingTimers).toBe(0);
});

test('a directory that cannot be used costs only the learning', async () => {
  const { learned, file } = make({ dir: join(dir, 'not', 'there') });
  learned.note(bench().read('ListApplications', {}));
  await file.load();
  await file.stop();
  expect(learned.count).toBe(1);
});
