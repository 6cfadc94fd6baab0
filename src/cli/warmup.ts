import type { Config } from '../config/config.js';
import { GatewayError } from '../errors.js';
import { type Clock, systemClock } from '../rpc/clock.js';
import { createAside } from './aside.js';
import type { Output } from './demo/screen.js';
import { createGatewayCaller } from './gateway-caller.js';
import { parseTarget, type TargetTls } from './target.js';
import { type FillOptions, fill } from './warmup/fill.js';
import { createProgress } from './warmup/progress.js';
import { asJson, asLines, isAllWarm } from './warmup/report.js';
import { configured, learned, type Wanted } from './warmup/wanted.js';

export interface WarmupOptions {
  readonly config: Config;
  /** A running gateway; undefined: fills Redis from here. */
  readonly target: string | undefined;
  /** Of the target. */
  readonly tls: TargetTls;
  /** What is not warm after this stays so. */
  readonly timeoutMs: number;
  readonly json: boolean;
  readonly stdout: Output;
  readonly isTty: boolean;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

/** All warm; some not, or none. A configuration that is refused ends with 2, as everywhere. */
const EXIT = { all: 0, partly: 1 } as const;

/** Past what the gateway itself allows one call, so that its own words arrive. */
const GRACE_MS = 1_000;
/** Longer than any run: keeps the process alive while it waits on timers of the clock alone. */
const KEEP_ALIVE_MS = 60_000;
/** Before a Redis that is not there yet is looked for again. */
const AGAIN_MS = 200;

/**
 * `manager-gateway warmup`: asks until the manager's answers are where they are to be. Resolves with the exit code; rejects with
 * `config-invalid` where nothing would come of it.
 */
export async function runWarmup(options: WarmupOptions): Promise<number> {
  const { config, stdout, json } = options;
  const clock = options.clock ?? systemClock;
  const alive = setInterval(() => undefined, KEEP_ALIVE_MS);
  const startedAtMs = clock.nowMs();
  const progress = createProgress(json ? SILENT : stdout, options.isTty && !json);
  let reached: Reached | undefined;
  try {
    reached = await reach(options, clock, startedAtMs + options.timeoutMs);
    const { wanted, trouble } = reached;
    const outcomes = await fill({
      ...reached,
      questions: wanted,
      perSecond: config.warmup.rate,
      requestTimeoutMs: config.managers.requestTimeoutMs + GRACE_MS,
      deadlineMs: startedAtMs + options.timeoutMs,
      clock,
      signal: options.signal ?? new AbortController().signal,
      onProgress: (counts, now) => progress.show(counts, now),
    });
    progress.close();
    const run = { wanted, outcomes, trouble, durationMs: Math.round(clock.nowMs() - startedAtMs) };
    stdout.write(json ? asJson(run) : asLines(run, reached.name));
    return isAllWarm(run) ? EXIT.all : EXIT.partly;
  } finally {
    progress.close();
    await reached?.stop();
    clearInterval(alive);
  }
}

const SILENT: Output = { write: () => undefined };

type Reached = Pick<FillOptions, 'caller' | 'redis'> & {
  /** Of what is filled, for people. */
  readonly name: string;
  readonly wanted: readonly Wanted[];
  /** Why not everything that should be asked is known. */
  readonly trouble: string | undefined;
  readonly stop: () => Promise<void>;
};

async function reach(options: WarmupOptions, clock: Clock, deadlineMs: number): Promise<Reached> {
  const { config, target, tls } = options;
  const wanted = configured(config.warmup.requests);
  if (target !== undefined) {
    const gateway = parseTarget(target, tls);
    const caller = createGatewayCaller(gateway);
    const stop = (): Promise<void> => Promise.resolve(caller.close());
    return { caller, name: gateway.authority, wanted, trouble: undefined, stop };
  }
  if (config.redis.addrs.length === 0) {
    throw new GatewayError(
      'config-invalid',
      'warmup: found neither --target nor redis.addrs, so that nobody would keep the answers; allowed: --target host:port of a running gateway, or redis.addrs',
    );
  }
  const aside = createAside({ config, snapshot: false, logDestination: process.stderr, clock });
  await aside.start();
  let asked = await aside.learned();
  while (asked === undefined && clock.nowMs() + AGAIN_MS < deadlineMs && options.signal?.aborted !== true) {
    await new Promise<void>((resolve) => clock.setTimer(AGAIN_MS, resolve));
    asked = await aside.learned();
  }
  return {
    caller: aside,
    name: 'Redis',
    wanted: [...wanted, ...learned(asked ?? [], wanted)],
    trouble:
      asked === undefined ? `Redis could not be read (${aside.redisTrouble ?? 'no answer'})` : undefined,
    stop: () => aside.stop(),
    redis: {
      has: (question) => aside.share(question),
      get trouble() {
        return aside.redisTrouble;
      },
    },
  };
}
