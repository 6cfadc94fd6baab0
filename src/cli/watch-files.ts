import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Gateway } from '../gateway.js';
import type { Clock, Timer } from '../rpc/clock.js';

/** How soon a changed file is noticed. Read and compared, because ConfigMaps and Secrets change by links that a watch does not follow. */
const LOOK_MS = 5_000;

export interface FilesWatch {
  stop(): void;
}

export interface FilesWatchOptions {
  readonly gateway: Pick<Gateway, 'reload'>;
  /** The files that the configuration is made of, at present. */
  readonly files: () => readonly string[];
  readonly clock: Clock;
}

/** Has the configuration read again when one of its files has changed. */
export function watchFiles({ gateway, files, clock }: FilesWatchOptions): FilesWatch {
  let timer: Timer | undefined;
  let stopped = false;
  /** By path; undefined: it was not there when it was first looked for. */
  const seen = new Map<string, string | undefined>();

  const look = async (): Promise<void> => {
    const paths = files();
    const found = await Promise.all(paths.map(fingerprint));
    if (stopped) return;
    const changed = paths.filter((path, index) => isNews(path, found[index]));
    for (const [index, path] of paths.entries()) seen.set(path, found[index] ?? seen.get(path));
    if (changed.length > 0) gateway.reload();
    timer = clock.setTimer(LOOK_MS, () => void look());
  };
  // A file that is away for a moment, in the middle of being replaced, is no other configuration.
  const isNews = (path: string, found: string | undefined): boolean =>
    found !== undefined && seen.has(path) && seen.get(path) !== found;
  void look();

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
