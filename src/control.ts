import type { Config, Mode } from './config/config.js';
import type { Change, RunningConfig } from './config/running-config.js';
import type { DataPath } from './data-path.js';
import type { Downstream } from './downstream/engine.js';
import type { Ground } from './ground.js';
import type { Certificates } from './observe/certificates.js';
import type { Upstream } from './upstream/upstream.js';

/** What can be changed while the gateway runs. */
export interface Control {
  setMode(mode: Mode): void;
  /** Takes what can change while it runs; the event says what was applied, and what needs a restart. */
  reconfigure(next: Config): Change;
  /** Reads the configuration again, from where it came. A bad one is refused, and the old one goes on. */
  reload(): Reloaded;
}

/** How a reload ended. `detail`: everything that is wrong with the configuration. */
export type Reloaded =
  | { readonly kind: 'read'; readonly change: Change }
  | { readonly kind: 'refused'; readonly detail: string };

export interface ControlOptions {
  readonly ground: Ground;
  readonly running: RunningConfig;
  /** Throws `config-invalid`. */
  readonly load: () => Config;
  readonly dataPath: Pick<DataPath, 'written' | 'world'>;
  readonly upstream: Pick<Upstream, 'setAddresses'>;
  readonly downstream: Pick<Downstream, 'renewTls'>;
  readonly certificates: () => Pick<Certificates, 'look'>;
}

export function createControl(options: ControlOptions): Control {
  const { ground, running, dataPath, upstream, downstream } = options;
  const { config, log, emit } = ground;

  const setMode = (next: Mode): void => {
    const from = ground.mode();
    if (next === from) return;
    // In bypass writes pass unread: what was remembered before may have been written to since.
    if (from === 'bypass') dataPath.written(undefined);
    if (from === 'bypass' || next === 'bypass') dataPath.world.unread();
    ground.enter(next);
    emit({ kind: 'mode-changed', from, to: next });
  };

  const reconfigure = (next: Config): Change => {
    const change = running.apply(next);
    const has = (key: string): boolean => change.applied.includes(key);
    if (has('mode')) setMode(next.mode);
    if (has('log.level')) log.setLevel(next.log.level);
    if (has('managers.addrs')) upstream.setAddresses(config.managers.addrs);
    if (change.applied.some((key) => key.includes('.tls.'))) {
      downstream.renewTls();
      options.certificates().look();
    }
    emit({ kind: 'config-reloaded', ...change });
    return change;
  };

  return {
    setMode,
    reconfigure,
    reload() {
      try {
        return { kind: 'read', change: reconfigure(options.load()) };
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error);
        emit({ kind: 'config-refused', detail });
        return { kind: 'refused', detail };
      }
    },
  };
}
