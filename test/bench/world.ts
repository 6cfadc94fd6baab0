import { connect } from 'node:http2';
import { freePort } from '../../src/simulator/free-port.js';
import type { Cores } from './cores.js';
import { LIST_PATH, type Messages } from './messages.js';
import type { Running, Target } from './peers/target.js';
import { type Started, start, stop } from './processes.js';

/** Everything answers within this, or does not work. */
const READY_WITHIN_MS = 15_000;

/** What the stub manager has counted since it was started. */
export interface Counted {
  /** Connections. */
  readonly accepted: number;
  readonly open: number;
  readonly calls: number;
}

/** One target in front of a manager of its own, both just started. */
export interface World {
  readonly target: string;
  readonly running: Running;
  readonly messages: Messages;
  readonly cores: Cores;
  readonly counted: () => Promise<Counted>;
  /** The manager's process ends, and comes again where it was. */
  readonly killManager: () => Promise<void>;
  readonly restartManager: () => Promise<void>;
  readonly freezeManager: () => void;
  readonly thawManager: () => void;
}

export interface WorldOptions {
  readonly target: Target;
  readonly messages: Messages;
  readonly cores: Cores;
  readonly directory: string;
  readonly settings?: readonly string[];
}

/** Starts a target and its manager, runs `use` once a call comes through, and ends both. */
export async function inWorld<T>(options: WorldOptions, use: (world: World) => Promise<T>): Promise<T> {
  const { target, messages, cores, directory } = options;
  const managerPort = await freePort();
  const countersPort = await freePort();
  const args = ['-listen', `127.0.0.1:${managerPort}`, '-counters', `127.0.0.1:${countersPort}`];
  const startManager = (): Started =>
    start('.bench/bin/bench-manager', [...args, '-answers', messages.answersFile], cores.manager);
  let manager = startManager();
  let running: Running | undefined;
  try {
    const settings = options.settings ?? [];
    running = await target.start({ managerPort, cores: cores.server, directory, settings });
    await untilAnswered(running.port, messages);
    return await use({
      ...{ target: target.name, running, messages, cores },
      counted: async () =>
        (await (await fetch(`http://127.0.0.1:${countersPort}/counters`)).json()) as Counted,
      killManager: () => stop(manager),
      async restartManager() {
        manager = startManager();
      },
      freezeManager: () => void manager.child.kill('SIGSTOP'),
      thawManager: () => void manager.child.kill('SIGCONT'),
    });
  } finally {
    if (running !== undefined) await stop(running.process);
    await stop(manager);
  }
}

/** Asks until the manager's answer comes: then the target is up, and has found the manager. */
export async function untilAnswered(port: number, messages: Messages): Promise<void> {
  const endMs = performance.now() + READY_WITHIN_MS;
  let bytes = 0;
  while (performance.now() < endMs) {
    bytes = await ask(port, messages.requestFrame);
    if (bytes === messages.answerBytes) return;
    await sleep(50);
  }
  throw new Error(`no right answer within ${READY_WITHIN_MS} ms; the last one had ${bytes} bytes`);
}

/** Bytes of messages that came back; 0 where nothing did. */
function ask(port: number, request: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const session = connect(`http://127.0.0.1:${port}`);
    let bytes = 0;
    const end = (): void => {
      session.destroy();
      resolve(bytes);
    };
    const timer = setTimeout(end, 2_000);
    session.on('error', () => {});
    session.on('close', () => {
      clearTimeout(timer);
      resolve(bytes);
    });
    const stream = session.request({
      ...{ ':method': 'POST', ':path': LIST_PATH },
      ...{ 'content-type': 'application/grpc', te: 'trailers' },
    });
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    stream.on('end', end);
    stream.end(request);
  });
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
