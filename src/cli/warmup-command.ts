import type { Command } from 'commander';
import { loadConfig } from '../config/load.js';
import { configFile, durationOf, fileOf } from './flags.js';

type WarmupFlags = {
  readonly config?: string;
  readonly set?: string[];
  readonly target?: string;
  readonly caCert?: string;
  readonly timeout: string;
  readonly json?: boolean;
};

/** Adds `warmup` to the commands. */
export function addWarmupCommand(program: Command): void {
  program
    .command('warmup')
    .description(
      'fill a running gateway, or Redis, with the answers to warmup.requests; for jobs of a rollout',
    )
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
      '\nExamples:\n  manager-gateway warmup --target manager-gateway.dragonfly:65003\n  manager-gateway warmup --config /etc/dragonfly/manager-gateway.yaml --timeout 5m --json\n' +
        '\nExit codes: 0 every answer is warm, 1 some are not, 2 the configuration is refused.',
    )
    .action(async (options: WarmupFlags) => {
      const { runWarmup } = await import('./warmup.js');
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
}
