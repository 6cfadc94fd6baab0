import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createDataPath } from '../../../src/data-path.js';
import { GatewayError } from '../../../src/errors.js';
import { createClassifier } from '../../../src/route/classify.js';
import { decodeRequest, requestFieldNumbers } from '../../../src/route/proto.js';
import type { Scopes } from '../../../src/simulator/manager/rows.js';
import type { SearchingCaller } from '../../../src/simulator/manager/searcher.js';
import { configOf, requestOf } from '../../support/data-path.js';
import { ManualClock } from '../../support/manual-clock.js';
import { ScriptedUpstream } from '../../support/scripted-upstream.js';
import { directAnswer, hostnamesIn, LIST, searching, type World } from '../../support/searcher-replies.js';

const CONFIGS = ['exact', 'scope', 'cidr'].map((sharing) => configOf(`cache: { sharing: ${sharing} }`));
const classifier = createClassifier({ fleetId: '', decoder: { decodeRequest, requestFieldNumbers } });

const idc = fc.constantFrom('', 'a', 'A', 'b', 'a|b', 'ſ', 's');
const location = fc.constantFrom('', 'x', 'X|y', 'x|y', 'x|y|z', 'y');
const cidr = fc.constantFrom(
  '10.0.0.0/8',
  '10.1.0.0/16',
  '10.1.2.3/16',
  '2001:db8::/32',
  '0.0.0.0/0',
  'nonsense',
);
const pattern = fc.constantFrom('^gpu-', 'web', '(');
const rare = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const scopes = fc
  .record({
    idc: fc.option(idc, { nil: undefined }),
    location: fc.option(location, { nil: undefined }),
    cidrs: rare(fc.array(cidr, { maxLength: 2 })),
    hostnames: rare(fc.array(pattern, { maxLength: 1 })),
  })
  .map((found) => JSON.parse(JSON.stringify(found)));

const isOpen = ({ cidrs, hostnames }: Scopes): boolean =>
  (cidrs ?? []).length === 0 && (hostnames ?? []).length === 0;

const world: fc.Arbitrary<World> = fc
  .array(fc.record({ scopes, isDefault: fc.boolean(), schedulers: fc.integer({ min: 1, max: 2 }) }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((rows) => rows.map((row, index) => ({ ...row, id: index + 1, name: `c${index}` })));

const caller: fc.Arbitrary<SearchingCaller> = fc.record({
  hostname: fc.constantFrom('gpu-1', 'web-1', 'db-1', 'db-2'),
  ip: fc.constantFrom('10.1.2.3', '10.1.2.4', '10.2.0.1', '::ffff:10.1.0.1', '11.0.0.1', '2001:db8::1'),
  idc,
  location,
});

const callers = fc.array(caller, { minLength: 1, maxLength: 5 });

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('ask' as const), callers }) },
  // While the manager is away: few histories would have it away between two askings otherwise.
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('outage' as const), callers }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(31_000, 61_000, 121_000, 700_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('change' as const), world }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('manager' as const), away: fc.boolean() }) },
);

/** Ten thousand: test/hard/numbers. */
const HISTORIES = Number(process.env.HISTORIES ?? 200);

it(`${HISTORIES} histories of random worlds and callers: nobody gets what the manager would not have given him`, async () => {
  let shared = 0;
  let elsewhere = 0;
  let closed = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...CONFIGS),
      world,
      fc.array(step, { minLength: 1, maxLength: 6 }),
      async (config, first, steps) => {
        const clock = new ManualClock();
        const upstream = new ScriptedUpstream(clock);
        const path = createDataPath({ config, upstream, clock, random: () => 0, emit: () => undefined });
        const worlds: { sinceMs: number; world: World }[] = [{ sinceMs: 0, world: first }];
        const now = (): World => worlds.at(-1)?.world ?? first;
        closed += Number(!first.every(({ scopes: own }) => isOpen(own)));
        let away = false;
        const searcher = searching(now);
        upstream.auto = (request) =>
          away ? new GatewayError('manager-unavailable', 'away') : searcher(request);
        const ask = async (asker: SearchingCaller): Promise<void> => {
          const message = requestOf(LIST, { source_type: 'PEER_SOURCE', ...asker });
          const question = classifier.question(LIST, message);
          if (question === undefined) throw new Error('asks nothing');
          const read = {
            question,
            message,
            metadata: {},
            deadlineMs: undefined,
            signal: undefined,
            attempts: 'one' as const,
          };
          const answer = await path.answerRead(read).catch(() => undefined);
          if (answer === undefined) return expect(away).toBe(true);
          shared += Number(answer.via !== undefined);
          const then = worlds.findLast(({ sinceMs }) => sinceMs <= answer.askedAtMs)?.world ?? first;
          const direct = directAnswer(then, asker);
          if (answer.via !== 'elsewhere')
            return expect(answer.reply.message?.toString('latin1')).toBe(direct.toString('latin1'));
          elsewhere++;
          // Said to be in the order of another place; nobody is missing, and nobody is in it who should not be.
          expect(hostnamesIn(answer.reply.message).sort()).toEqual(hostnamesIn(direct).sort());
          expect(away && then.every(({ scopes: own }) => isOpen(own))).toBe(true);
        };
        for (const one of steps) {
          clock.advance(1);
          if (one.kind === 'wait') clock.advance(one.ms);
          else if (one.kind === 'change') worlds.push({ sinceMs: clock.nowMs(), world: one.world });
          else if (one.kind === 'manager') away = one.away;
          else {
            const before: boolean = away;
            away ||= one.kind === 'outage';
            await Promise.all(one.callers.map(ask));
            away = before;
          }
        }
      },
    ),
    { numRuns: HISTORIES },
  );
  expect(shared).toBeGreaterThan(HISTORIES / 10);
  expect(elsewhere).toBeGreaterThan(HISTORIES / 20);
  expect(closed).toBeGreaterThan(HISTORIES / 20);
}, 300_000);
