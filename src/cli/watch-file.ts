import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Gateway } from '../gateway.js';
import type { Clock, Timer } from '../rpc/clock.js';

/** How soon a changed file is noticed. Read and compared, because a ConfigMap changes by links that a watch does not follow. */
const LOOK_MS = 5_000;

export interface FileWatch {
  stop(): void;
}

export interface FileWatchOptions {
  readonly gateway: Pick<Gateway, 'reload'>;
  /** The file that the configuration was read from; undefined: there is none to look at. */
  readonly file: string | undefined;
  readonly clock: Clock;
}

/** Has the configuration read again when its file has changed. */
export function watchFile({ gateway, file, clock }: FileWatchOptions): FileWatch {
  let timer: Timer | undefined;
  let stopped = false;
  let seen: string | undefined;

  const look = async (path: string): Promise<void> => {
    const found = await fingerprint(path);
    if (stopped) return;
    // A file that is away for a moment, in the middle of being replaced, is no other configuration.
    if (found !== undefined && seen !== undefined && found !== seen) gateway.reload();
    seen = found ?? seen;
    timer = clock.setTimer(LOOK_MS, () => void look(path));
  };
  if (file !== undefined) void look(file);

  return {
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
