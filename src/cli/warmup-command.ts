import type { Command } from 'commander';
import { loadConfig } from '../config/load.js';
import { configFile, durationOf } from './flags.js';
import { addTargetOptions, type TargetFlags, targetTls } from './target.js';

type WarmupFlags = TargetFlags & {
  readonly config?: string;
  readonly set?: string[];
  readonly timeout: string;
  readonly json?: boolean;
};

/** Adds `warmup` to the commands. */
export function addWarmupCommand(program: Command): void {
  const command = program
    .command('warmup')
    .description(
      'fill a running gateway with the answers to warmup.requests, or Redis also with those to what callers ask; for jobs of a rollout',
    )
    .option('-c, --config <file>', 'the configuration, as of serve')
    .option('-s, --set <path=value...>', 'set one key, as of serve');
  addTargetOptions(command, 'Redis is filled from here')
    .option('--timeout <duration>', 'how long to go on asking for what is not warm', '2m')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      `
Examples:
  manager-gateway warmup --config /etc/dragonfly/manager-gateway.yaml --timeout 5m --json
  manager-gateway warmup --target manager-gateway.dragonfly:65003

Exit codes: 0 every answer is warm (and, without --target, lies in Redis), 1 some are not, 2 wrong use, or the configuration is refused.`,
    )
    .action(async (options: WarmupFlags) => {
      const { runWarmup } = await import('./warmup.js');
      process.exitCode = await runWarmup({
        config: loadConfig({ ...configFile(options.config), env: process.env, sets: options.set ?? [] }),
        target: options.target,
        tls: targetTls(options),
        timeoutMs: durationOf('--timeout', options.timeout),
        json: options.json ?? false,
        stdout: process.stdout,
        isTty: process.stdout.isTTY === true,
      });
    });
}
