import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { coresOf } from './cores.js';
import { describeMachine } from './machine.js';
import { merged } from './merged.js';
import { writeMessages } from './messages.js';
import { type Options, parseOptions } from './options.js';
import type { Target } from './peers/target.js';
import { endAllWithThisProcess } from './processes.js';
import { quickJson } from './quick-json.js';
import type { Results } from './results.js';
import { runAll } from './runner.js';
import { allScenarios, quickScenarios } from './scenarios/all.js';
import type { Scenario } from './scenarios/scenario.js';
import { tableOf } from './table.js';
import { allTargets } from './targets.js';

function chosen({ quick, only, repetitions }: Options): readonly Scenario[] {
  const all = quick ? quickScenarios(repetitions) : allScenarios(repetitions);
  for (const name of only) {
    if (!all.some((scenario) => scenario.name === name))
      throw new Error(`--only: ${name} is none of ${all.map((scenario) => scenario.name).join(', ')}`);
  }
  return only.length === 0 ? all : all.filter(({ name }) => only.includes(name));
}

function wantedOf(all: readonly Target[], { targets }: Options): readonly Target[] {
  return targets.length === 0 ? all : all.filter(({ name }) => targets.includes(name));
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  endAllWithThisProcess();
  const directory = mkdtempSync(join(tmpdir(), 'manager-gateway-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  if (!existsSync('.bench/bin/bench-manager') || !existsSync('.bench/bin/bench-caller'))
    throw new Error('the stub manager and the callers are not built: npm run bench:install');
  const messages = writeMessages(directory);
  const cores = coresOf();
  const run = await runAll({
    ...{
      scenarios: chosen(options),
      targets: wantedOf(allTargets(messages), options),
      messages,
      cores,
      directory,
    },
    say: (line) => process.stderr.write(`${line}\n`),
  });
  const results: Results = {
    day: new Date().toISOString().slice(0, 10),
    machine: describeMachine(cores),
    ...run,
  };
  if (options.out !== undefined) write(options.out, results);
  const text = options.json
    ? JSON.stringify(options.quick ? quickJson(results) : results)
    : tableOf(results.rows);
  process.stdout.write(`${text}\n`);
}

function write(file: string, results: Results): void {
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : undefined;
  writeFileSync(file, `${JSON.stringify(merged(before, results), null, 2)}\n`);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
