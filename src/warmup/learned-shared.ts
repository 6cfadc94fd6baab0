import { LRUCache } from 'lru-cache';
import type { AskedInRedis } from '../cache/redis/asked.js';
import type { Emit } from '../observe/events.js';
import type { Clock, Timer } from '../rpc/clock.js';
import type { Question } from '../rpc/question.js';
import type { Learned } from './learned.js';

/** How often what is new is told. */
const INTERVAL_MS = 60_000;
/** How often the same question is told again: its use halves in an hour, so that this is exact enough, and spares Redis most of it. */
const AGAIN_MS = 10 * 60_000;
/** How long a start waits for all of it; what is used most comes first. */
const LOAD_MS = 2_000;
const TOLD = 65_536;

export interface LearnedSharedOptions {
  /** undefined: there is no Redis. */
  readonly asked: AskedInRedis | undefined;
  readonly learned: Learned;
  readonly questionOf: (path: string, message: Buffer) => Question | undefined;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** What callers ask for, common to all replicas: one that comes with an empty disk knows it, too. */
export interface LearnedShared {
  /** Redis has been connected to, if it is there. Never rejects. */
  load(): Promise<void>;
  start(): void;
  /** Tells what is untold. Never rejects. */
  stop(): Promise<void>;
}

export function createLearnedShared(options: LearnedSharedOptions): LearnedShared {
  const { asked, learned, clock, emit } = options;
  if (asked === undefined)
    return { load: () => Promise.resolve(), start: () => {}, stop: () => Promise.resolve() };
  const toldAtMs = new LRUCache<string, number>({ maxSize: TOLD, sizeCalculation: () => 1 });
  let loaded = false;
  let stopped = false;
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();

  const load = async (): Promise<void> => {
    const untilMs = clock.nowMs() + LOAD_MS;
    const found = await asked.read(() => clock.nowMs() < untilMs);
    if (found === undefined) return;
    loaded = true;
    for (const key of learned.restore(found, options.questionOf)) toldAtMs.set(key, clock.nowMs());
  };
  const tell = async (againMs: number): Promise<void> => {
    const nowMs = clock.nowMs();
    const untold = learned.all().filter(({ key, ageMs }) => {
      const lastMs = toldAtMs.get(key);
      return lastMs === undefined || (nowMs - ageMs >= lastMs && nowMs - lastMs >= againMs);
    });
    if (await asked.add(untold)) for (const { key } of untold) toldAtMs.set(key, nowMs);
  };
  /** One after the other: a stop waits for what is under way. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    running = running
      .then(work)
      .catch((error: unknown) => emit({ kind: 'internal-error', where: 'sharing what is asked for', error }));
    return running;
  };
  const round = async (): Promise<void> => {
    // Redis was not there at the start.
    if (!loaded) await load();
    await tell(AGAIN_MS);
  };
  const schedule = (): void => {
    if (!stopped) timer = clock.setTimer(INTERVAL_MS, () => void inTurn(round).then(schedule));
  };

  return {
    load: () => inTurn(load),
    start: schedule,
    stop() {
      stopped = true;
      timer?.cancel();
      return inTurn(() => tell(0));
    },
  };
}
