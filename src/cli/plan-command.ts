import { type Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../config/load.js';
import { GatewayError } from '../errors.js';
import { createPaint } from './demo/paint.js';
import { configFile, durationOf, wholeNumber } from './flags.js';
import type { Fleet } from './plan/fleet.js';

type PlanFlags = {
  readonly config?: string;
  readonly set?: string[];
  readonly daemons: number;
  readonly dfgetDaemons: number;
  readonly schedulers: number;
  readonly seedPeers: number;
  readonly places: number;
  readonly lists: string;
  readonly poll: string;
  readonly startWithin: string;
  readonly managers?: number;
  readonly spare: number;
  readonly json?: boolean;
};

const EXAMPLES = `
Examples:
  manager-gateway plan --daemons 100000 --schedulers 50
  manager-gateway plan --daemons 20000 --schedulers 12 --places 8 --start-within 1m --json
  manager-gateway plan --daemons 0 --dfget-daemons 5000 --seed-peers 30 --schedulers 6 --lists own

TTLs, channels and limits are those of the configuration. Exit codes: 0 it is planned, 2 wrong use or configuration.`;

/** Adds `plan` to the commands. */
export function addPlanCommand(program: Command): void {
  program
    .command('plan')
    .description(
      'how many gateways a fleet needs, of what size, and what the managers have to bear with and without them',
    )
    .requiredOption('--daemons <number>', 'Rust daemons, Rust seed peers among them', wholeNumber)
    .option('--dfget-daemons <number>', 'dfget daemons of v2.1', wholeNumber, 0)
    .option('--schedulers <number>', 'schedulers', wholeNumber, 0)
    .option('--seed-peers <number>', 'dfget daemons of v2.1 that are seed peers', wholeNumber, 0)
    .option('--places <number>', 'pairs of idc and location among the daemons', atLeastOne, 1)
    .option(
      '--lists <shared|own>',
      'own: a cluster declares hostnames (or cidrs), or no scopes are shown',
      'shared',
    )
    .option('--poll <duration>', 'how often a Rust daemon asks: 60s, before v1.4.3 300s', '60s')
    .option('--start-within <duration>', 'the time in which all of them start', '5m')
    .option(
      '--managers <number>',
      'processes of the manager (default: as many as managers.addrs)',
      atLeastOne,
    )
    .option('--spare <number>', 'gateways that may be away at a time', wholeNumber, 1)
    .option('-c, --config <file>', 'the configuration, as of serve')
    .option('-s, --set <path=value...>', 'set one key, as of serve')
    .option('--json', 'print the plan as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: PlanFlags) => {
      const { stdout } = process;
      const config = loadConfig({ ...configFile(flags.config), env: process.env, sets: flags.set ?? [] });
      const { planFor, settingsOf } = await import('./plan/plan.js');
      const { MEASURED_COSTS } = await import('./plan/measured-costs.js');
      const { asJson, asText } = await import('./plan/report.js');
      const fleet = fleetOf(flags, config.managers.addrs.length);
      const plan = planFor(fleet, settingsOf(config), MEASURED_COSTS, { spare: flags.spare });
      const paint = createPaint(stdout.isTTY === true, process.env);
      stdout.write(flags.json ? asJson(plan, MEASURED_COSTS) : asText(plan, MEASURED_COSTS, paint));
    });
}

function fleetOf(flags: PlanFlags, addresses: number): Fleet {
  const { daemons, dfgetDaemons, schedulers, seedPeers, places, lists } = flags;
  if (daemons + dfgetDaemons + schedulers + seedPeers === 0)
    throw wrong('plan: found no caller; allowed: at least one daemon, dfget daemon, scheduler or seed peer');
  if (lists !== 'shared' && lists !== 'own') throw wrong(`--lists: found "${lists}"; allowed: shared, own`);
  return {
    daemons,
    dfgetDaemons,
    schedulers,
    seedPeers,
    places,
    lists,
    pollMs: aboveZero('--poll', flags.poll),
    startWithinMs: aboveZero('--start-within', flags.startWithin),
    managers: flags.managers ?? addresses,
  };
}

function aboveZero(flag: string, text: string): number {
  const ms = durationOf(flag, text);
  if (ms > 0) return ms;
  throw wrong(`${flag}: found "${text}"; allowed: a duration above 0s, such as 60s`);
}

function atLeastOne(text: string): number {
  const number = wholeNumber(text);
  if (number > 0) return number;
  throw new InvalidArgumentError('Allowed: a whole number, at least 1.');
}

function wrong(message: string): GatewayError {
  return new GatewayError('config-invalid', message);
}
