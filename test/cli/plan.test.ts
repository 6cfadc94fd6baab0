import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectionsOf, type Fleet } from '../../src/cli/plan/fleet.js';
import { loadWith, loadWithout } from '../../src/cli/plan/load.js';
import { MEASURED_COSTS } from '../../src/cli/plan/measured-costs.js';
import { type Plan, planFor, settingsOf } from '../../src/cli/plan/plan.js';
import { defaultConfig } from '../../src/config/defaults.js';
import { runGateway } from '../support/gateway-process.js';

const SETTINGS = settingsOf(defaultConfig());
const FLEET: Fleet = {
  daemons: 100_000,
  dfgetDaemons: 0,
  schedulers: 50,
  seedPeers: 0,
  places: 1,
  lists: 'shared',
  pollMs: 60_000,
  startWithinMs: 300_000,
  managers: 1,
};

const plan = (fleet: Partial<Fleet>, spare = 1): Plan =>
  planFor({ ...FLEET, ...fleet }, SETTINGS, MEASURED_COSTS, { spare });

const anyFleet: fc.Arbitrary<Fleet> = fc.record({
  daemons: fc.integer({ min: 1, max: 1_000_000 }),
  dfgetDaemons: fc.integer({ min: 0, max: 50_000 }),
  schedulers: fc.integer({ min: 0, max: 1_000 }),
  seedPeers: fc.integer({ min: 0, max: 1_000 }),
  places: fc.integer({ min: 1, max: 500 }),
  lists: fc.constantFrom('shared', 'own'),
  pollMs: fc.integer({ min: 1_000, max: 600_000 }),
  startWithinMs: fc.integer({ min: 1_000, max: 3_600_000 }),
  managers: fc.integer({ min: 1, max: 5 }),
});

describe('what the managers bear without a gateway', () => {
  it('is what each caller was measured to do', () => {
    expect(loadWithout({ ...FLEET, dfgetDaemons: 600, schedulers: 30, seedPeers: 300 })).toEqual({
      connections: 100_930,
      // Every minute one; every ten minutes one, or two of a seed peer; every minute two.
      calls: 100_000 / 60 + 600 / 600 + 600 / 600 + 1,
      callsAtStart: (4 * 100_000 + 2 * 600 + 3 * 30 + 4 * 300) / 300,
      callsWhileFailing: 100_000 / 60 + 180 * 2 + 1,
      streams: 330,
      beats: 66,
    });
  });
});

describe('what they bear with gateways', () => {
  it('is one asking for each list in its TTL, a look at each node, and probes', () => {
    const { calls, connections } = loadWith({ ...FLEET, places: 6 }, SETTINGS, 7);
    expect(connections).toBe(14);
    // Lists; applications; rows of schedulers; probes; looks.
    expect(calls).toBeCloseTo(6 / 30 + 1 / 60 + 50 / 60 + 7 / 10 + 50 / 30, 9);
  });

  it('does not grow with daemons whose lists are shared', () => {
    fc.assert(
      fc.property(anyFleet, fc.integer({ min: 1, max: 1_000_000 }), (fleet, more) => {
        const shared: Fleet = {
          ...fleet,
          lists: 'shared',
          daemons: 10_000 + fleet.daemons,
          pollMs: 1_000,
          startWithinMs: 1_000,
        };
        const grown = { ...shared, daemons: shared.daemons + more };
        expect(loadWith(grown, SETTINGS, 3)).toEqual(loadWith(shared, SETTINGS, 3));
      }),
    );
  });

  it('is one list each in two minutes where lists are each caller’s own, never more than they ask for', () => {
    const none = { schedulers: 0, lists: 'own' } as const;
    const calls = (pollMs: number): number => loadWith({ ...FLEET, ...none, pollMs }, SETTINGS, 0).calls;
    expect(calls(60_000)).toBeCloseTo(100_000 / 120, 9);
    expect(calls(300_000)).toBeCloseTo(100_000 / 300, 9);
  });
});

describe('a plan', () => {
  it('has as many gateways as connections need, with a fifth of each left free, and one to spare', () => {
    expect(plan({ schedulers: 0 }).size).toMatchObject({
      replicas: 6,
      forConnections: 5,
      forCpu: 1,
      spare: 1,
    });
    expect(plan({}).size).toMatchObject({ replicas: 7, forConnections: 6 });
    expect(plan({ daemons: 1, schedulers: 0 }, 0).size.replicas).toBe(1);
  });

  it('has more where everybody starts at once with a list of its own', () => {
    const { size, warnings } = plan({ lists: 'own', startWithinMs: 10_000 });
    expect(size.forCpu).toBeGreaterThan(size.forConnections);
    expect(warnings.join('\n')).toMatch(
      /with the gateway [\d,]+ calls a second at a start are over the 4,000/,
    );
  });

  it('says what does not fit, or was not measured, and is silent where all is well', () => {
    const said = (fleet: Partial<Fleet>, spare = 1): string => plan(fleet, spare).warnings.join('\n');
    expect(said({ daemons: 500, schedulers: 0 }, 0)).toBe('');
    expect(said({})).toMatch(/^7 replicas need Redis/);
    expect(said({})).toMatch(/16,675 connections at one gateway are drawn on from 10,000/);
    expect(said({ daemons: 500 }, 0)).toMatch(/^one gateway alone: in a rollout nodes are inactive/);
    expect(said({ daemons: 20_000, lists: 'own', schedulers: 200 })).toMatch(
      /cache\.maxBytes: found 256 MiB, and the answers need 6\d\d MiB/,
    );
    expect(said({ dfgetDaemons: 10 })).toMatch(/dfget daemons ask every 10 minutes/);
  });

  it('never shrinks when there are more callers, whoever they are', () => {
    const kinds = ['daemons', 'dfgetDaemons', 'schedulers', 'seedPeers'] as const;
    fc.assert(
      fc.property(
        anyFleet,
        fc.constantFrom(...kinds),
        fc.integer({ min: 1, max: 100_000 }),
        (fleet, kind, more) => {
          const [few, many] = [plan(fleet), plan({ ...fleet, [kind]: fleet[kind] + more })];
          expect(many.size.replicas).toBeGreaterThanOrEqual(few.size.replicas);
          for (const side of ['without', 'with'] as const) {
            for (const [key, value] of Object.entries(few[side]))
              expect(many[side][key as keyof Plan['with']]).toBeGreaterThanOrEqual(value * (1 - 1e-9));
          }
        },
      ),
    );
  });

  it('gives no gateway more connections than it takes, nor more than half a core, even with the spare ones away', () => {
    fc.assert(
      fc.property(anyFleet, fc.integer({ min: 0, max: 3 }), (fleet, spare) => {
        const { replicas, each } = plan(fleet, spare).size;
        expect(each.connections).toBeLessThanOrEqual(0.8 * SETTINGS.maxConnections);
        expect(each.connections * (replicas - spare)).toBeGreaterThanOrEqual(connectionsOf(fleet));
        expect(Math.max(each.cpu, each.cpuAtStart)).toBeLessThanOrEqual(0.5 + 1e-9);
        expect(each.memoryLimitBytes).toBeGreaterThan(each.memoryBytes);
      }),
    );
  });
});

describe('a scheduler in a list', () => {
  it('is as large as in the recording of a manager', () => {
    const recorded = readFileSync('test/fixtures/recordings/manager-v2.5.1.json', 'utf8');
    const steps = JSON.parse(recorded) as { note: string; path?: string; response?: string }[];
    const two = steps.find(
      ({ note, path }) => note === 'after keepalive' && path?.endsWith('/ListSchedulers'),
    );
    const each = Buffer.from(two?.response ?? '', 'base64').length / 2;
    expect(Math.abs(each - MEASURED_COSTS.listedScheduler.value)).toBeLessThan(30);
  });
});

describe('manager-gateway plan', () => {
  async function run(...args: readonly string[]) {
    const child = runGateway(['plan', ...args]);
    const code = await child.exited;
    const out = child.lines.map(({ text, ...rest }) => text ?? JSON.stringify(rest)).join('\n');
    return { code, out, err: child.stderr() };
  }

  it('says what there is to be decided, and on what it rests', async () => {
    const { code, out } = await run('--daemons', '100000', '--schedulers', '50');
    expect(code).toBe(0);
    expect(out).toMatch(/^7 gateways\n6 are needed for connections, 1 is needed for CPU/);
    expect(out).toMatch(/^ {2}connections +100,050 +14$/m);
    expect(out).toContain('Taken for granted:');
    for (const { source } of Object.values(MEASURED_COSTS)) expect(out).toContain(source);
  });

  it('says the same as JSON, and goes by the configuration', async () => {
    const { code, out } = await run('--daemons', '10', '--json', '--set', 'managers.channelsPerAddr=5');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      size: { replicas: 2 },
      with: { connections: 10 },
      warnings: [expect.any(String)],
    });
  });

  it.each([
    [['--daemons', '0'], /^plan: found no caller; allowed: at least one/],
    [['--daemons', '-1'], /argument '-1' is invalid\. Allowed: a whole number/],
    [['--daemons', '1', '--lists', 'all'], /^--lists: found "all"; allowed: shared, own\n/],
    [['--daemons', '1', '--poll', '0s'], /^--poll: found "0s"; allowed: a duration above 0s/],
    [['--daemons', '1', '--places', '0'], /argument '0' is invalid\. Allowed: a whole number, at least 1/],
    [['--daemons', '1', '--start-within', 'soon'], /^--start-within: found "soon" \(.*\); allowed: duration/],
    [[], /required option '--daemons <number>' not specified/],
  ])('refuses %j, and says what is allowed', async (args, why) => {
    const { code, err } = await run(...args);
    expect([code, err]).toEqual([2, expect.stringMatching(why)]);
  });
});

describe('docs/capacity.md', () => {
  it('has every measured cost with its source', () => {
    const page = readFileSync('docs/capacity.md', 'utf8');
    const lines = page.split('\n');
    for (const { value, unit, source } of Object.values(MEASURED_COSTS)) {
      expect(page).toContain(source);
      expect([source, existsSync(source)]).toEqual([source, true]);
      expect(lines).toContainEqual(expect.stringContaining(`| ${asWritten(value, unit)} |`));
    }
  });
});

function asWritten(value: number, unit: string): string {
  if (unit !== 'bytes') return `${value.toLocaleString('en-US')} ${unit}`;
  if (value >= 2 ** 20) return `${value / 2 ** 20} MiB`;
  return value >= 1024 ? `${value / 1024} KiB` : `${value} bytes`;
}
