import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { redisKeys } from '../../src/redis/keys.js';
import type { Script } from '../../src/redis/script.js';
import { AUDIT, BURY, CLAIM, FIND, FINISH, LIST, PUT } from '../../src/registrations/shared/scripts.js';
import { type RedisProcess, startRedis } from '../support/redis-process.js';

const { registrations } = redisKeys({ keyPrefix: 'dfmgw', fleetId: 'f' });
const NAMES = ['["1","n",""]', '["1","n","127.0.0.1"]'] as const;
const KEPT_MS = '60000';
/** Nobody else is there who could have to tell something first. */
const TOLD_WITHIN_MS = '0';

let redis: RedisProcess;
let client: Redis;

beforeAll(async () => {
  redis = await startRedis();
  client = redis.client();
});
afterAll(() => redis.stop());
beforeEach(() => client.flushall());

function run({ lua }: Script, args: readonly (string | number)[], turn?: string): Promise<unknown> {
  const keys = [...registrations.all, ...(turn === undefined ? [] : [registrations.turn(turn)])];
  return client.eval(lua, keys.length, ...keys, ...args);
}

/** What can happen to a node; `at` is when, in seconds ago, so that none is in the future. `lateS`: it is told by its age, and is on its way so long. */
type Happening = { readonly at: number; readonly lateS?: number | undefined } & (
  | { readonly kind: 'acknowledged'; readonly id: string }
  | { readonly kind: 'taken' }
  | { readonly kind: 'deleted'; readonly name: 0 | 1 }
);

/** Redis's time at the beginning, so that stamps do not depend on when they are told. */
let beganUs: number;
const stampOf = (at: number): number => beganUs - at * 1_000_000;

async function tell(one: Happening, node = 'n', most = 100): Promise<unknown> {
  const when = await whenOf(one);
  switch (one.kind) {
    case 'acknowledged':
      return run(PUT, [node, one.id, `dfreg1 ${one.id} x y`, ...when, ...NAMES, most, KEPT_MS]);
    case 'taken':
      return run(FINISH, [node, ...when, `known ${one.at}`, '', most, KEPT_MS]);
    case 'deleted':
      return run(BURY, [NAMES[one.name], ...when, most, KEPT_MS]);
    default:
      return one satisfies never;
  }
}

/** Stamp, age, latest. What is told by its age is so much later here than it was, and never later than it can have been. */
async function whenOf({ at, lateS }: Happening): Promise<[number | string, number, number | string]> {
  if (lateS === undefined) return [stampOf(at), 0, ''];
  const [s, us] = await client.time();
  const ageUs = Number(s) * 1_000_000 + Number(us) - stampOf(at);
  return ['', Math.max(0, ageUs - lateS * 1_000_000), stampOf(at)];
}

/** What is known of the node, and what of it would be made up for. */
async function outcome(): Promise<{ known: string; pending: string; claimed: string[] }> {
  const [, [, known], [, pending]] = (await run(FIND, ['n', ...NAMES, 1_000, KEPT_MS, TOLD_WITHIN_MS])) as [
    string,
    [string, string],
    [string, string],
  ];
  const listed = (await run(LIST, [0, 10, 1_000, KEPT_MS, TOLD_WITHIN_MS])) as [string, string, string][];
  const claimed: string[] = [];
  for (const [node, stamp, value] of listed) {
    const id = value.split(' ')[1] as string;
    const args = [node, id, value, stamp, 0, '', ...NAMES, 100, KEPT_MS, 'token', 5_000, TOLD_WITHIN_MS];
    const [word] = (await run(CLAIM, args, 'n')) as [string];
    if (word === 'ours') claimed.push(id);
  }
  return { known, pending, claimed };
}

const happenings = fc
  .uniqueArray(fc.integer({ min: 10, max: 40 }), { minLength: 1, maxLength: 6 })
  .chain((times) =>
    fc.tuple(
      ...times.map((at) =>
        fc.oneof(
          fc.constant<Happening>({ kind: 'acknowledged', at, id: `id${at}` }),
          fc.constant<Happening>({ kind: 'taken', at }),
          fc.constant<Happening>({ kind: 'deleted', at, name: 0 }),
          fc.constant<Happening>({ kind: 'deleted', at, name: 1 }),
        ),
      ),
    ),
  );

const late = fc.option(fc.nat(40), { nil: undefined, freq: 2 });

/** As it is to be: the newest counts. */
function expected(all: readonly Happening[]): { known: string; pending: string; claimed: string[] } {
  const newest = all.toSorted((a, b) => a.at - b.at);
  const deletedAt = newest.find(({ kind }) => kind === 'deleted')?.at ?? Number.POSITIVE_INFINITY;
  const takenAt = newest.find(({ kind }) => kind === 'taken')?.at ?? Number.POSITIVE_INFINITY;
  const acknowledged = newest.find(
    (one) => one.kind === 'acknowledged' && one.at < deletedAt && one.at < takenAt,
  );
  const id = acknowledged?.kind === 'acknowledged' ? acknowledged.id : undefined;
  return {
    known: takenAt < deletedAt ? `known ${takenAt}` : '',
    pending: id === undefined ? '' : `dfreg1 ${id} x y`,
    claimed: id === undefined ? [] : [id],
  };
}

it('the newest counts, in whatever order it is told, and however often', async () => {
  await fc.assert(
    fc.asyncProperty(
      happenings.chain((all) =>
        fc.tuple(
          fc.constant(all),
          fc
            .shuffledSubarray([...all, ...all], { minLength: 2 * all.length, maxLength: 2 * all.length })
            .chain((told) => fc.tuple(...told.map((one) => fc.tuple(fc.constant(one), late)))),
        ),
      ),
      async ([all, told]) => {
        await client.flushall();
        const [s, us] = await client.time();
        beganUs = Number(s) * 1_000_000 + Number(us);
        for (const [one, lateS] of told) await tell({ ...one, lateS });
        expect(await outcome()).toEqual(expected(all));
      },
    ),
    { numRuns: 150 },
  );
});

it('is bounded: the nodes known longest are forgotten, and no more is acknowledged than there is room for', async () => {
  beganUs = Date.now() * 1_000;
  for (let n = 0; n < 6; n++) await tell({ kind: 'taken', at: 30 - n }, `node-${n}`, 3);
  const [known, pending] = registrations.all as [string, string];
  expect((await client.hkeys(known)).toSorted()).toEqual(['node-3', 'node-4', 'node-5']);
  const words: unknown[] = [];
  for (let n = 0; n < 4; n++) {
    const said = await tell({ kind: 'acknowledged', at: 10, id: `id${n}` }, `other-${n}`, 3);
    words.push((said as [string])[0]);
  }
  expect(words).toEqual(['stored', 'stored', 'stored', 'full']);
  expect(await client.hlen(pending)).toBe(3);
});

it('who knows of a later registration than Redis is told to tell it, and who knows the same or an earlier one is not', async () => {
  await tell({ kind: 'taken', at: 20 });
  const known = (node: string, at: number) => [node, stampOf(at), 0, ''] as const;
  const audited = async (...args: readonly (string | number)[]): Promise<unknown> =>
    ((await run(AUDIT, [KEPT_MS, ...args])) as [string, unknown])[1];
  expect(await audited(...known('n', 10), ...known('n', 20), ...known('n', 30))).toEqual(['0', '1', '1']);
  // From a file that does not say since when, and of a node that Redis does not know.
  expect(await audited('n', 1, 0, '', 'm', 1, 0, '')).toEqual(['1', '0']);
  // The same one, by its age, which is a moment older there than when it was measured.
  const [s, us] = await client.time();
  const ageUs = Number(s) * 1_000_000 + Number(us) - stampOf(20);
  expect(await audited('n', '', ageUs - 300_000, '')).toEqual(['1']);
});
