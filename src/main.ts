#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { serve } from './cli/serve.js';
import { parseDuration } from './config/durations.js';
import { loadConfig } from './config/load.js';
import { GatewayError } from './errors.js';
import { VERSION } from './version.js';

const DEFAULT_CONFIG = '/etc/dragonfly/manager-gateway.yaml';

/** Wrong use or a wrong configuration, as in most Unix tools. */
const EXIT_USAGE = 2;

/** As the shell tells of a command that wrote to a pipe without a reader. */
const EXIT_SIGPIPE = 141;

const program = new Command('manager-gateway')
  .description('A resilient gRPC gateway between the Dragonfly manager and everything that calls it.')
  .version(VERSION)
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

SIGTERM drains and exits; a second one exits at once. SIGHUP reads the configuration again.`,
  )
  .action(async (options: { config?: string; set?: string[]; check?: boolean }) => {
    // Chosen once: without its file, a reload is refused instead of going over to the defaults.
    const source = configFile(options.config);
    const load = () => loadConfig({ ...source, env: process.env, sets: options.set ?? [] });
    if (options.check) {
      load();
      process.stdout.write('the configuration is right\n');
      return;
    }
    // Nobody reads the log any more: no reason to leave the callers alone.
    process.stdout.on('error', () => {});
    await serve({ load, process, exit: (code) => process.exit(code) });
  });

program
  .command('demo')
  .description('play the incident with a simulated fleet, once direct and once through the gateway')
  .option('--json', 'print the figures as JSON')
  .option('--seed <number>', 'seed of the simulated fleet, a whole number', wholeNumber, 1)
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

program
  .command('warmup')
  .description('fill a running gateway, or Redis, with the answers to warmup.requests; for jobs of a rollout')
  .option('-c, --config <file>', 'the configuration, as of serve')
  .option('-s, --set <path=value...>', 'set one key, as of serve')
  .option('-t, --target <host:port>', 'a running gateway; without it Redis is filled from here')
  .option(
    '--ca-cert <file>',
    'the authorities that signed the certificate of the target; with it, TLS is used',
  )
  .option('--timeout <duration>', 'how long to go on asking for what is not warm', '2m')
  .option('--json', 'print the outcome as JSON')
  .addHelpText(
    'after',
    '\nExit codes: 0 every answer is warm, 1 some are not, 2 the configuration is refused.',
  )
  .action(async (options: WarmupFlags) => {
    const { runWarmup } = await import('./cli/warmup.js');
    process.exitCode = await runWarmup({
      config: loadConfig({ ...configFile(options.config), env: process.env, sets: options.set ?? [] }),
      target: options.target,
      caCert: options.caCert === undefined ? '' : fileOf('--ca-cert', options.caCert),
      timeoutMs: durationOf('--timeout', options.timeout),
      json: options.json ?? false,
      stdout: process.stdout,
      isTty: process.stdout.isTTY === true,
    });
  });

program
  .command('export')
  .description('write a dynconfig.yaml from the last good answers, to run a fleet without a manager')
  .requiredOption('-f, --format <format>', 'dynconfig-scheduler or dynconfig-daemon')
  .option('-c, --config <file>', 'the configuration, as of serve; says where the snapshot is')
  .option('-s, --set <path=value...>', 'set one key, as of serve')
  .option('-o, --out <file>', 'where to write; - is standard output', '-')
  .option('--cluster-id <id>', 'the scheduler cluster, where several are known')
  .option('-t, --target <host:port>', 'a running gateway; without it the snapshot is read')
  .option(
    '--ca-cert <file>',
    'the authorities that signed the certificate of the target; with it, TLS is used',
  )
  .option('--hostname <name>', 'as whom the target is asked', 'manager-gateway-export')
  .option('--ip <address>', 'the same', '127.0.0.1')
  .option('--idc <idc>', 'the same')
  .option('--location <location>', 'the same')
  .addHelpText(
    'after',
    '\nExit codes: 0 it is written, 1 nothing is known to write, 2 wrong use or configuration.',
  )
  .action(async (options: ExportFlags) => {
    const { runExport } = await import('./cli/export.js');
    const { hostname, ip, idc, location, clusterId } = options;
    process.exitCode = await runExport({
      config: loadConfig({ ...configFile(options.config), env: process.env, sets: options.set ?? [] }),
      format: options.format,
      target: options.target,
      caCert: options.caCert === undefined ? '' : fileOf('--ca-cert', options.caCert),
      asker: {
        hostname,
        ip,
        ...(idc === undefined ? {} : { idc }),
        ...(location === undefined ? {} : { location }),
        ...(clusterId === undefined ? {} : { clusterId }),
      },
      out: options.out,
      stdout: process.stdout,
      stderr: process.stderr,
    });
  });

type ExportFlags = {
  readonly format: string;
  readonly config?: string;
  readonly set?: string[];
  readonly out: string;
  readonly clusterId?: string;
  readonly target?: string;
  readonly caCert?: string;
  readonly hostname: string;
  readonly ip: string;
  readonly idc?: string;
  readonly location?: string;
};

type WarmupFlags = {
  readonly config?: string;
  readonly set?: string[];
  readonly target?: string;
  readonly caCert?: string;
  readonly timeout: string;
  readonly json?: boolean;
};

function durationOf(flag: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw wrongFlag(flag, text, error, 'duration such as 30s or 2m');
  }
}

function fileOf(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw wrongFlag(flag, path, error, 'a file that can be read');
  }
}

function wrongFlag(flag: string, text: string, error: unknown, allowed: string): GatewayError {
  const why = error instanceof Error ? error.message : String(error);
  return new GatewayError('config-invalid', `${flag}: found "${text}" (${why}); allowed: ${allowed}`);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new InvalidArgumentError('Allowed: a whole number of up to nine digits.');
  return Number(text);
}

/** The file that was named, by flag or environment; else the default one if it is there, and else none: defaults. */
function configFile(flag: string | undefined): { file?: string } {
  const named = flag || process.env.MANAGER_GATEWAY_CONFIG;
  if (named) return { file: named };
  return existsSync(DEFAULT_CONFIG) ? { file: DEFAULT_CONFIG } : {};
}

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
