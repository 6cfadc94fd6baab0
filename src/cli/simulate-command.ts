import { type Command, InvalidArgumentError, Option } from 'commander';
import { type ListenAddress, parseHostPort, parseListenAddress } from '../config/addresses.js';
import { wholeNumber } from './flags.js';

type SimulateFlags = {
  readonly listen: ListenAddress;
  readonly fleet?: ListenAddress;
  readonly daemons: number;
  readonly goDaemons: number;
  readonly schedulers: number;
  readonly seedPeers: number;
  readonly incident?: boolean;
  readonly timeFactor: number;
  readonly seed: number;
};

/** Adds `simulate` to the commands. */
export function addSimulateCommand(program: Command): void {
  program
    .command('simulate')
    .description(
      'a simulated manager, and a fleet that calls it through a gateway; to look at one without either',
    )
    .addOption(
      new Option('--listen <host:port>', 'where the manager serves')
        .argParser(address(parseListenAddress))
        .default(LOOPBACK, '127.0.0.1:65003'),
    )
    .option(
      '--fleet <host:port>',
      'whom a fleet calls: the gateway (without it there is no fleet)',
      address(parseHostPort),
    )
    .option('--daemons <number>', 'Rust daemons of the fleet', wholeNumber, 140)
    .option('--go-daemons <number>', 'dfget daemons of the fleet', wholeNumber, 60)
    .option('--schedulers <number>', 'schedulers of the fleet', wholeNumber, 4)
    .option('--seed-peers <number>', 'seed peers of the fleet', wholeNumber, 1)
    .option('--incident', 'play the incident of the demo, again and again')
    .option('--time-factor <number>', 'how many times as fast as life', factor, 1)
    .option('--seed <number>', 'the same makes the same fleet', wholeNumber, 1)
    .addHelpText(
      'after',
      `
Examples:
  manager-gateway simulate --listen 127.0.0.1:65003
  manager-gateway simulate --listen 127.0.0.1:65004 --fleet 127.0.0.1:65003 --incident`,
    )
    .action(async ({ fleet, incident = false, ...flags }: SimulateFlags) => {
      // Only here: whoever serves loads no simulator.
      const { runSimulation } = await import('./simulate.js');
      await runSimulation({
        ...flags,
        fleetAt: fleet,
        incident,
        process,
        say: (line) => process.stdout.write(`${line}\n`),
      });
    });
}

const LOOPBACK: ListenAddress = { host: '127.0.0.1', port: 65003 };

function address(parse: (text: string) => ListenAddress): (text: string) => ListenAddress {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  };
}

function factor(text: string): number {
  const number = wholeNumber(text);
  if (number === 0) throw new InvalidArgumentError('Allowed: a whole number from 1 on.');
  return number;
}
