import type { Command } from 'commander';
import { loadConfig } from '../config/load.js';
import { configFile } from './flags.js';
import { addTargetOptions, type TargetFlags, targetTls } from './target.js';

type ExportFlags = TargetFlags & {
  readonly format: string;
  readonly config?: string;
  readonly set?: string[];
  readonly out: string;
  readonly clusterId?: string;
  readonly hostname: string;
  readonly ip: string;
  readonly idc?: string;
  readonly location?: string;
};

/** Adds `export` to the commands. */
export function addExportCommand(program: Command): void {
  const command = program
    .command('export')
    .description('write a dynconfig.yaml from the last good answers, to run a fleet without a manager')
    .requiredOption('-f, --format <format>', 'dynconfig-scheduler or dynconfig-daemon')
    .option('-c, --config <file>', 'the configuration, as of serve; says where the snapshot is')
    .option('-s, --set <path=value...>', 'set one key, as of serve')
    .option('-o, --out <file>', 'where to write; - is standard output', '-')
    .option('--cluster-id <id>', 'the scheduler cluster, where several are known');
  addTargetOptions(command, 'the snapshot is read')
    .option('--hostname <name>', 'as whom the target is asked', 'manager-gateway-export')
    .option('--ip <address>', 'the same', '127.0.0.1')
    .option('--idc <idc>', 'the same')
    .option('--location <location>', 'the same')
    .addHelpText(
      'after',
      '\nExamples:\n  manager-gateway export --format dynconfig-daemon --out /etc/dragonfly/dynconfig.yaml\n' +
        '  manager-gateway export --format dynconfig-scheduler --cluster-id 1 --target 127.0.0.1:65003\n' +
        '\nExit codes: 0 it is written, 1 nothing is known to write, 2 wrong use or configuration.',
    )
    .action(async (options: ExportFlags) => {
      const { runExport } = await import('./export.js');
      const { hostname, ip, idc, location, clusterId } = options;
      process.exitCode = await runExport({
        config: loadConfig({ ...configFile(options.config), env: process.env, sets: options.set ?? [] }),
        format: options.format,
        target: options.target,
        tls: targetTls(options),
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
}
