import type { Config } from '../config/config.js';
import { createGateway, type Gateway } from '../gateway.js';

export interface ServeOptions {
  /** Reads the configuration again, from the same sources. Throws `config-invalid`. */
  readonly load: () => Config;
  readonly process: Pick<NodeJS.Process, 'on' | 'off'>;
  readonly exit: (code: number) => void;
}

/**
 * `manager-gateway serve`: runs until SIGTERM or SIGINT, which drain; a second one exits at once. SIGHUP reads the
 * configuration again. Rejects with `config-invalid` or `listen-failed`.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const config = options.load();
  const gateway = createGateway({ config });
  await gateway.start();

  let stopping = false;
  const onStop = (signal: NodeJS.Signals): void => {
    if (stopping) {
      options.exit(signal === 'SIGINT' ? 130 : 143);
      return;
    }
    stopping = true;
    gateway.drain().then(
      ({ clean }) => options.exit(clean ? 0 : 1),
      (error: unknown) => {
        gateway.emit({ kind: 'internal-error', where: 'draining', error });
        options.exit(1);
      },
    );
  };
  let running = config;
  options.process.on('SIGTERM', onStop);
  options.process.on('SIGINT', onStop);
  options.process.on('SIGHUP', () => {
    running = reload(gateway, running, options.load);
  });
}

/** Applies what can change while it runs: the mode and the level of the log. Returns the configuration that was read. */
function reload(gateway: Gateway, running: Config, load: () => Config): Config {
  let next: Config;
  try {
    next = load();
  } catch (error) {
    gateway.emit({ kind: 'config-refused', detail: error instanceof Error ? error.message : String(error) });
    return running;
  }
  const applied: string[] = [];
  if (next.mode !== gateway.mode) {
    applied.push(`mode=${next.mode}`);
    gateway.setMode(next.mode);
  }
  if (next.log.level !== running.log.level) {
    applied.push(`log.level=${next.log.level}`);
    gateway.setLogLevel(next.log.level);
  }
  gateway.emit({ kind: 'config-reloaded', applied, needRestart: changedSections(running, next) });
  // What needs a restart still runs as it was: the next reload is to say so again.
  return { ...running, mode: next.mode, log: next.log };
}

/** The sections that differ and are not applied while running. */
function changedSections(running: Config, next: Config): string[] {
  const sections = Object.keys(next) as (keyof Config)[];
  return sections.filter(
    (section) =>
      section !== 'mode' &&
      section !== 'log' &&
      JSON.stringify(running[section]) !== JSON.stringify(next[section]),
  );
}
