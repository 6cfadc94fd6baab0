import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.js';
import type { Gateway } from '../gateway.js';
import type { Clock, Timer } from '../rpc/clock.js';

/** How soon a changed file is noticed. Read and compared, because a ConfigMap changes by links that a watch does not follow. */
const LOOK_MS = 5_000;

export interface Reloading {
  /** Now, whatever the file says. */
  now(): void;
  stop(): void;
}

export interface ReloadingOptions {
  readonly gateway: Pick<Gateway, 'reconfigure' | 'emit'>;
  /** The file that the configuration was read from; undefined: there is none to look at. */
  readonly file: string | undefined;
  /** Reads the configuration again, from the same sources. Throws `config-invalid`. */
  readonly load: () => Config;
  readonly clock: Clock;
}

/** Reads the configuration again when told to, or when its file has changed. A bad one is refused, and the old one goes on. */
export function createReloading({ gateway, file, load, clock }: ReloadingOptions): Reloading {
  let timer: Timer | undefined;
  let stopped = false;
  let seen: string | undefined;

  const now = (): void => {
    try {
      gateway.reconfigure(load());
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      gateway.emit({ kind: 'config-refused', detail });
    }
  };
  const look = async (path: string): Promise<void> => {
    const found = await fingerprint(path);
    if (stopped) return;
    // A file that is away for a moment, in the middle of being replaced, is no other configuration.
    if (found !== undefined && seen !== undefined && found !== seen) now();
    seen = found ?? seen;
    timer = clock.setTimer(LOOK_MS, () => void look(path));
  };
  if (file !== undefined) void look(file);

  return {
    now,
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

function fingerprint(path: string): Promise<string | undefined> {
  return readFile(path).then(
    (bytes) => createHash('sha256').update(bytes).digest('hex'),
    () => undefined,
  );
}
