import type { Command } from 'commander';
import { loadConfig } from '../config/load.js';
import { createPaint } from './demo/paint.js';
import { configFile } from './flags.js';

type DoctorFlags = {
  readonly config?: string;
  readonly set?: string[];
  readonly json?: boolean;
  readonly simulateCaller?: string;
};

/** Adds `doctor` to the commands. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'look at everything the gateway needs: configuration, managers down to their database, Redis, this machine',
    )
    .option('-c, --config <file>', 'the configuration, as of serve')
    .option('-s, --set <path=value...>', 'set one key, as of serve')
    .option('--json', 'print the findings as JSON')
    .option(
      '--simulate-caller <hostname=…,ip=…,idc=…,location=…>',
      'show instead which schedulers this daemon would get, from where, and why',
    )
    .addHelpText(
      'after',
      `
Examples:
  manager-gateway doctor --config /etc/dragonfly/manager-gateway.yaml
  manager-gateway doctor --set 'managers.addrs=["manager.dragonfly:65003"]' --json
  manager-gateway doctor --simulate-caller hostname=node-17,ip=10.1.2.3,idc=bj,location=asia

Exit codes: 0 all well, 1 warnings, 2 failures, or a configuration that is refused.`,
    )
    .action(async (options: DoctorFlags) => {
      const config = loadConfig({ ...configFile(options.config), env: process.env, sets: options.set ?? [] });
      const { stdout } = process;
      const json = options.json ?? false;
      if (options.simulateCaller !== undefined) {
        const { simulateCaller } = await import('./doctor/simulate-caller.js');
        process.exitCode = await simulateCaller({ config, caller: options.simulateCaller, json, stdout });
        return;
      }
      const { runDoctor } = await import('./doctor/doctor.js');
      const paint = createPaint(stdout.isTTY === true, process.env);
      process.exitCode = await runDoctor({ config, json, stdout, paint });
    });
}
