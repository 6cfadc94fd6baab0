#!/usr/bin/env node
import { Command } from 'commander';
import { addCompletionCommand } from './cli/completion.js';
import { addDoctorCommand } from './cli/doctor-command.js';
import { addExportCommand } from './cli/export-command.js';
import { configFile, DEFAULT_CONFIG, wholeNumber } from './cli/flags.js';
import { addOperatorCommands } from './cli/operator-commands.js';
import { addPlanCommand } from './cli/plan-command.js';
import { addSimulateCommand } from './cli/simulate-command.js';
import { addWarmupCommand } from './cli/warmup-command.js';
import { loadConfig } from './config/load.js';
import { GatewayError } from './errors.js';
import { VERSION } from './version.js';

/** Wrong use or a wrong configuration, as in most Unix tools. */
const EXIT_USAGE = 2;

/** As the shell tells of a command that wrote to a pipe without a reader. */
const EXIT_SIGPIPE = 141;

const program = new Command('manager-gateway')
  .description('A resilient gRPC gateway between the Dragonfly manager and everything that calls it.')
  .version(VERSION)
  .showHelpAfterError('(add --help for what there is)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE));

program
  .command('serve')
  .description('run the gateway')
  .option('-c, --config <file>', `the configuration (env MANAGER_GATEWAY_CONFIG; default ${DEFAULT_CONFIG})`)
  .option('-s, --set <path=value...>', 'set one key, over file and environment; may be repeated')
  .option('--check', 'read the configuration, say whether it is right, and exit')
  .addHelpText(
    'after',
    `
Examples:
  manager-gateway serve --config ${DEFAULT_CONFIG}
  manager-gateway serve --set 'managers.addrs=["manager.dragonfly:65003"]' --set mode=observe
  DFMGW__LOG__LEVEL=debug manager-gateway serve

SIGTERM drains and exits; a second one exits at once. SIGHUP reads the
configuration again, and so does another content of its file, or of a
certificate or key that it names; what is wrong is refused, and the old one goes on.`,
  )
  .action(async (options: { config?: string; set?: string[]; check?: boolean }) => {
    // Chosen once: without its file, a reload is refused instead of going over to the defaults.
    const source = configFile(options.config);
    let pemFiles: readonly string[] = [];
    const named = (files: readonly string[]): void => {
      pemFiles = files;
    };
    const load = () => loadConfig({ ...source, env: process.env, sets: options.set ?? [], named });
    const files = () => [...(source.file === undefined ? [] : [source.file]), ...pemFiles];
    if (options.check) {
      load();
      process.stdout.write('the configuration is right\n');
      return;
    }
    // Nobody reads the log any more: no reason to leave the callers alone.
    process.stdout.on('error', () => {});
    // Only here: what asks a gateway, or only reads a file, is no gateway, and starts in half the time without one.
    const { serve } = await import('./cli/serve.js');
    await serve({ load, files, process, exit: (code) => process.exit(code) });
  });

program
  .command('demo')
  .description('play the incident with a simulated fleet, once direct and once through the gateway')
  .option('--json', 'print the figures as JSON')
  .option('--seed <number>', 'seed of the simulated fleet, a whole number', wholeNumber, 1)
  .addHelpText('after', '\nExamples:\n  manager-gateway demo\n  manager-gateway demo --json --seed 7')
  .action(async (options: { json?: boolean; seed: number }) => {
    const { json = false, seed } = options;
    // `demo | head`: nobody looks on any more, and there is nothing to complain about.
    process.stdout.on('error', () => process.exit(EXIT_SIGPIPE));
    // Only here: whoever serves loads no simulator.
    const { runDemo } = await import('./cli/demo.js');
    process.exitCode = await runDemo({
      stdout: process.stdout,
      isTty: process.stdout.isTTY === true,
      json,
      seed,
    });
  });

addSimulateCommand(program);
addDoctorCommand(program);
addWarmupCommand(program);
addExportCommand(program);
addPlanCommand(program);
addOperatorCommands(program);
addCompletionCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  const known = error instanceof GatewayError;
  process.stderr.write(
    known
      ? `${error.message}\n`
      : `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(known && error.code === 'config-invalid' ? EXIT_USAGE : 1);
}
