import type { Cores } from './cores.js';
import type { Messages } from './messages.js';
import type { Target } from './peers/target.js';
import type { Measured, Missing, Row } from './results.js';
import type { Scenario } from './scenarios/scenario.js';
import { inWorld } from './world.js';

export interface RunnerOptions {
  readonly scenarios: readonly Scenario[];
  readonly targets: readonly Target[];
  readonly messages: Messages;
  readonly cores: Cores;
  readonly directory: string;
  readonly say: (line: string) => void;
}

export interface Run {
  readonly rows: readonly Row[];
  readonly versions: Readonly<Record<string, string>>;
  readonly missing: readonly Missing[];
}

/** Runs the scenarios one after the other, the targets of each in turn, again and again: a machine that gets slower does so for all. */
export async function runAll(options: RunnerOptions): Promise<Run> {
  const { scenarios, say } = options;
  const wanted = new Set(scenarios.flatMap(({ targets }) => targets));
  const { present, versions, missing } = await lookFor(
    options.targets.filter(({ name }) => wanted.has(name)),
  );
  for (const { name, reason } of missing) say(`missing: ${name}: ${reason}`);
  const rows: Row[] = [];
  for (const scenario of scenarios) {
    const targets = present.filter(({ name }) => scenario.targets.includes(name));
    rows.push(...(await runOne(options, scenario, targets, missing)));
  }
  return { rows, versions, missing };
}

async function lookFor(targets: readonly Target[]): Promise<{
  readonly present: readonly Target[];
  readonly versions: Record<string, string>;
  readonly missing: Missing[];
}> {
  const present: Target[] = [];
  const versions: Record<string, string> = {};
  const missing: Missing[] = [];
  for (const target of targets) {
    try {
      versions[target.name] = await target.version();
      present.push(target);
    } catch (error) {
      missing.push({ name: target.name, reason: `not installed (${messageOf(error)})` });
    }
  }
  return { present, versions, missing };
}

async function runOne(
  { messages, cores, directory, say }: RunnerOptions,
  scenario: Scenario,
  targets: readonly Target[],
  missing: Missing[],
): Promise<readonly Row[]> {
  const measured = new Map<string, { scenario: string; target: string; repetitions: Measured[] }>();
  const settings = scenario.settings ?? [];
  for (let repetition = 1; repetition <= scenario.repetitions; repetition++) {
    for (const target of targets) {
      try {
        const rows = await inWorld({ target, messages, cores, directory, settings }, scenario.measure);
        for (const [name, values] of Object.entries(rows)) {
          const key = `${name} ${target.name}`;
          const row = measured.get(key) ?? { scenario: name, target: target.name, repetitions: [] };
          row.repetitions.push(values);
          measured.set(key, row);
          say(
            `${repetition}/${scenario.repetitions} ${name} ${target.name}: ${JSON.stringify(rounded(values))}`,
          );
        }
      } catch (error) {
        const reason = `${scenario.name}, repetition ${repetition}: ${messageOf(error)}`;
        missing.push({ name: target.name, reason });
        say(`failed: ${target.name}: ${reason}`);
      }
    }
  }
  return [...measured.values()].toSorted((one, other) => order(one.scenario, other.scenario));
}

/** By scenario; rows of one stay in the order of the targets. */
function order(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

function rounded(values: Measured): Measured {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Number(value.toPrecision(4))]),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
