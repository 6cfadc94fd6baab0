import type { AskedInRedis } from '../cache/redis/asked.js';
import type { Config, Mode } from '../config/config.js';
import type { OwnDirectory } from '../durable/own-directory.js';
import type { Emit } from '../observe/events.js';
import type { Clock } from '../rpc/clock.js';
import type { Question } from '../rpc/question.js';
import type { Read, ReadHandler } from '../rpc/read.js';
import { allFailed } from '../upstream/all-failed.js';
import type { Upstream } from '../upstream/upstream.js';
import type { Learned } from './learned.js';
import { createLearnedFile } from './learned-file.js';
import { createLearnedShared } from './learned-shared.js';
import type { Pace } from './pace.js';
import { encodeWarmupRequest } from './requests.js';
import { createWarmer, type WarmKey } from './warmer.js';

export interface WarmupOptions {
  readonly config: Pick<Config, 'warmup' | 'fleet' | 'cache' | 'managers'>;
  readonly directory: OwnDirectory;
  readonly mode: () => Mode;
  readonly learned: Learned;
  readonly redis: { readonly asked: AskedInRedis | undefined };
  readonly pace: Pace;
  readonly answerBehind: ReadHandler;
  readonly isFresh: (read: Read) => boolean;
  readonly store: { readonly count: number };
  readonly questionOf: (path: string, message: Buffer) => Question | undefined;
  readonly upstream: Pick<Upstream, 'healthy' | 'statuses'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
}

export interface Warmup {
  /** Reads what callers asked an earlier process for. Never rejects. */
  load(): Promise<void>;
  /** Reads what they ask other replicas for; Redis has been connected to, if it is there. Never rejects. */
  loadShared(): Promise<void>;
  /** All that was kept has been loaded. */
  start(): void;
  /** The managers' health, or the mode, may have changed. */
  look(): void;
  /** Why a rollout should wait before it sends callers here, in one sentence; undefined from the moment on when it need not. */
  readonly coldReason: string | undefined;
  /** Never rejects. */
  stop(): Promise<void>;
}

/** The warm-up of one gateway: what it asks, when, and when it counts as warm. */
export function createWarmup(options: WarmupOptions): Warmup {
  const { config, clock, upstream } = options;
  const inUse = (): boolean => options.mode() === 'answer';
  const file = createLearnedFile({ ...options, fleetId: config.fleet.id });
  const shared = createLearnedShared({ ...options, asked: options.redis.asked });
  const warmer = createWarmer({
    requests: requestsOf(options),
    learned: options.learned,
    ask: options.answerBehind,
    isFresh: options.isFresh,
    // Observing and bypassing are to add nothing to what the managers are asked.
    managerHealthy: () => inUse() && upstream.healthy,
    pace: options.pace,
    perSecond: config.warmup.rate,
    maxStaleMs: config.cache.maxStaleMs,
    clock,
    random: options.random,
    emit: options.emit,
  });
  const createdAtMs = clock.nowMs();
  let warm = false;

  /** Every address has failed, or none could be found for as long as connecting may take. */
  const managersAway = (): boolean => {
    const statuses = upstream.statuses();
    if (statuses.length === 0) return clock.nowMs() - createdAtMs > config.managers.connectTimeoutMs;
    return allFailed(statuses);
  };
  const reason = (): string | undefined => {
    if (clock.nowMs() - createdAtMs >= config.warmup.timeoutMs) return undefined;
    const { state } = warmer;
    if (state.kind === 'warm' || !inUse()) return undefined;
    if (managersAway() && options.store.count > 0) return undefined;
    if (state.kind === 'running')
      return `warming up: ${state.done} of ${state.total} answers have been refreshed`;
    return 'warming up: no manager has answered yet';
  };

  return {
    load: () => file.load(),
    loadShared: () => shared.load(),
    start() {
      warmer.start();
      file.start();
      shared.start();
    },
    look() {
      options.pace.look();
      warmer.look();
    },
    get coldReason() {
      if (warm) return undefined;
      const why = reason();
      warm = why === undefined;
      return why;
    },
    async stop() {
      warmer.stop();
      await Promise.all([file.stop(), shared.stop()]);
    },
  };
}

function requestsOf({ config, questionOf }: WarmupOptions): WarmKey[] {
  return config.warmup.requests.flatMap((request) => {
    const { path, message } = encodeWarmupRequest(request);
    const question = questionOf(path, message);
    return question === undefined ? [] : [{ question, message }];
  });
}
