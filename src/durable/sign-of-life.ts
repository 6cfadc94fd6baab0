import { readFile, unlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import type { Clock, Timer } from '../rpc/clock.js';

/**
 * How others can tell that a process lives. `socket`: the kernel knows, at once and across containers, but only that of the same
 * machine. `beat`: a file that changes all the time, where there is no socket (some network file systems, long paths).
 */
export type SignKind = 'socket' | 'beat';

export interface SignOfLife {
  readonly kind: SignKind;
  /** Takes it down. Never rejects. */
  stop(): Promise<void>;
}

/** Longer paths of sockets are cut off silently: 108 bytes on Linux, 104 on macOS, the end included. */
const LONGEST_SOCKET_PATH = 100;
const BEAT_MS = 1_000;
/** Somebody who has not beaten for so long is dead, or might as well be. */
const SILENT_MS = 3_500;

const socketAt = (base: string): string => `${base}.sock`;
const beatAt = (base: string): string => `${base}.beat`;

/** Shows from now on that this process lives, in files that begin with `base`. Rejects if it cannot be shown at all. */
export async function showLife(base: string, clock: Clock): Promise<SignOfLife> {
  const server = await listening(socketAt(base));
  let timer: Timer | undefined;
  let count = 0;
  const beat = async (): Promise<void> => {
    await writeFile(beatAt(base), String(count++), { mode: 0o600 });
  };
  const goOn = (): void => {
    // One that cannot be written is missed by those on other machines only, and the next may be.
    timer = clock.setTimer(BEAT_MS, () => void beat().catch(ignore).then(goOn));
  };
  try {
    await beat();
  } catch (error) {
    server?.close();
    throw error;
  }
  goOn();
  return {
    kind: server === undefined ? 'beat' : 'socket',
    async stop() {
      timer?.cancel();
      // It takes its file with it.
      await new Promise<void>((resolve) =>
        server === undefined ? resolve() : server.close(() => resolve()),
      );
      await unlink(beatAt(base)).catch(ignore);
    },
  };
}

/** Does the process that shows its life at `base` live? Where the kernel cannot tell, it is watched for a while. */
export function lives(base: string, how: SignKind, clock: Clock): Promise<boolean> {
  return how === 'socket' ? accepts(socketAt(base)) : beats(beatAt(base), clock);
}

/** Removes what one that has died has left. */
export async function clearSigns(base: string): Promise<void> {
  await Promise.all([socketAt(base), beatAt(base)].map((file) => unlink(file).catch(ignore)));
}

/** undefined: there can be none here. */
async function listening(path: string): Promise<Server | undefined> {
  if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH) return undefined;
  const server = createServer((socket) => socket.destroy());
  server.unref();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(path, () => resolve(server));
  });
}

/** One that is frozen is connected to all the same, by the kernel: it lives. */
function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}

async function beats(path: string, clock: Clock): Promise<boolean> {
  const before = await countIn(path);
  if (before === undefined) return false;
  await new Promise<void>((resolve) => clock.setTimer(SILENT_MS, resolve));
  const after = await countIn(path);
  return after !== undefined && after !== before;
}

function countIn(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

function ignore(): undefined {
  return undefined;
}
