import type { Config } from '../config/config.js';
import { createGateway } from '../gateway.js';
import { type Clock, systemClock } from '../rpc/clock.js';
import { watchFiles } from './watch-files.js';

export interface ServeOptions {
  /** Reads the configuration again, from the same sources. Throws `config-invalid`. */
  readonly load: () => Config;
  /** The files it is read from, to be looked at again and again. */
  readonly files: () => readonly string[];
  readonly clock?: Clock;
  readonly process: Pick<NodeJS.Process, 'on' | 'off'>;
  readonly exit: (code: number) => void;
}

/**
 * `manager-gateway serve`: runs until SIGTERM or SIGINT, which drain; a second one exits at once. SIGHUP, or another
 * content of a file, reads the configuration again. Rejects with `config-invalid` or `listen-failed`.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const config = options.load();
  const gateway = createGateway({ config, load: options.load });
  // The line that says "started" is no promise to whoever reads it that signals are heard, unless they were before it.
  const starting = gateway.start();
  let watch: { stop(): void } | undefined;
  const drain = (): void => {
    watch?.stop();
    gateway.drain().then(
      ({ clean }) => options.exit(clean ? 0 : 1),
      (error: unknown) => {
        gateway.emit({ kind: 'internal-error', where: 'draining', error });
        options.exit(1);
      },
    );
  };
  let stopping = false;
  const onStop = (signal: NodeJS.Signals): void => {
    if (stopping) {
      options.exit(signal === 'SIGINT' ? 130 : 143);
      return;
    }
    stopping = true;
    // There is one way to end; what cannot start says so itself.
    starting.then(drain, () => undefined);
  };
  options.process.on('SIGTERM', onStop);
  options.process.on('SIGINT', onStop);
  options.process.on(
    'SIGHUP',
    () =>
      void starting.then(
        () => gateway.reload(),
        () => undefined,
      ),
  );
  await starting;
  const { clock = systemClock, files } = options;
  if (!stopping) watch = watchFiles({ gateway, files, clock });
}
