import type { Command } from 'commander';
import { loadConfig } from '../config/load.js';
import { GatewayError } from '../errors.js';
import { type AdminClient, createAdminClient } from './admin-client.js';
import { createPaint } from './demo/paint.js';
import { configFile } from './flags.js';

type Flags = { readonly config?: string; readonly set?: string[]; readonly admin?: string };

/** Adds what an operator does to a gateway that runs: `status`, `purge`, `reload`. */
export function addOperatorCommands(program: Command): void {
  operator(program, 'status', 'say how the gateway that runs is')
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      examples(
        ['status', 'status --admin http://127.0.0.1:8080 --json'],
        '0 all well, 1 something to look at, 2 not everybody is served',
      ),
    )
    .action(async (flags: Flags & { json?: boolean }) => {
      const { runStatus } = await import('./status.js');
      const { stdout } = process;
      const paint = createPaint(stdout.isTTY === true, process.env);
      process.exitCode = await runStatus({
        client: clientOf(flags),
        json: flags.json ?? false,
        stdout,
        paint,
      });
    });

  operator(program, 'purge', 'forget what the gateway that runs remembers; needs admin.token')
    .option('--method <name>', 'only answers of this method, e.g. ListSchedulers')
    .option('--key <key>', 'only this entry, by its key in /api/cache')
    .option('--all', 'everything')
    .addHelpText('after', examples(['purge --method ListApplications', 'purge --all']))
    .action(async (flags: Flags & { method?: string; key?: string; all?: boolean }) => {
      const { dropped } = (await clientOf(flags).post('/api/cache/drop', whichOf(flags))) as {
        dropped: number;
      };
      process.stdout.write(`${dropped} ${dropped === 1 ? 'answer' : 'answers'} forgotten\n`);
    });

  operator(program, 'reload', 'have the gateway that runs read its configuration again; needs admin.token')
    .addHelpText('after', examples(['reload', 'reload --admin http://127.0.0.1:8080']))
    .action(async (flags: Flags) => {
      type Change = { applied: readonly string[]; needRestart: readonly string[] };
      const { applied, needRestart } = (await clientOf(flags).post('/api/reload', undefined)) as Change;
      const rest = needRestart.length === 0 ? '' : `; a restart is needed for ${needRestart.join(', ')}`;
      process.stdout.write(
        `${applied.length === 0 ? 'nothing to apply' : `applied: ${applied.join(', ')}`}${rest}\n`,
      );
    });
}

function operator(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('-c, --config <file>', 'the configuration, as of serve: says admin.addr and admin.token')
    .option('-s, --set <path=value...>', 'set one key, as of serve')
    .option('--admin <url>', 'the admin address of another gateway, http://host:port');
}

function examples(lines: readonly string[], exits?: string): string {
  const all = lines.map((line) => `  manager-gateway ${line}`).join('\n');
  return `\nExamples:\n${all}${exits === undefined ? '' : `\n\nExit codes: ${exits}.`}`;
}

function clientOf({ config, set, admin }: Flags): AdminClient {
  const read = loadConfig({ ...configFile(config), env: process.env, sets: set ?? [] });
  return createAdminClient({ url: admin, config: read });
}

function whichOf({ method, key, all }: { method?: string; key?: string; all?: boolean }): object {
  const given = [method !== undefined, key !== undefined, all === true].filter(Boolean).length;
  if (given !== 1) {
    throw new GatewayError(
      'config-invalid',
      `purge: found ${given} of --method, --key and --all; allowed: one`,
    );
  }
  return method !== undefined ? { method } : key !== undefined ? { key } : { all: true };
}
