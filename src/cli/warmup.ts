import type { Config } from '../config/config.js';
import { GatewayError } from '../errors.js';
import { createGateway } from '../gateway.js';
import { type Clock, systemClock } from '../rpc/clock.js';
import { encodeWarmupRequest } from '../warmup/requests.js';
import type { Output } from './demo/screen.js';
import { createGatewayCaller, type GatewayTarget } from './gateway-caller.js';
import { parseTarget } from './target.js';
import { fill, type Outcome } from './warmup/fill.js';
import { createProgress } from './warmup/progress.js';

export interface WarmupOptions {
  readonly config: Config;
  /** A running gateway; undefined: fills Redis through a gateway of its own, on loopback. */
  readonly target: string | undefined;
  /** PEM, for a target with TLS; "": the authorities of Node. */
  readonly caCert: string;
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

/**
 * `manager-gateway warmup`: asks what `warmup.requests` holds until the manager's answers are there. Resolves with the
 * exit code; rejects with `config-invalid` where nothing would come of it.
 */
export async function runWarmup(options: WarmupOptions): Promise<number> {
  const { config, stdout } = options;
  const clock = options.clock ?? systemClock;
  const alive = setInterval(() => undefined, KEEP_ALIVE_MS);
  const startedAtMs = clock.nowMs();
  const { target, stop } = await reach(options);
  const caller = createGatewayCaller(target);
  const progress = createProgress(options.json ? SILENT : stdout, options.isTty && !options.json);
  try {
    const outcomes = await fill({
      caller,
      questions: config.warmup.requests.map(encodeWarmupRequest),
      perSecond: config.warmup.rate,
      requestTimeoutMs: config.managers.requestTimeoutMs + GRACE_MS,
      deadlineMs: startedAtMs + options.timeoutMs,
      clock,
      signal: options.signal ?? new AbortController().signal,
      onProgress: (counts, now) => progress.show(counts, now),
    });
    progress.close();
    const durationMs = Math.round(clock.nowMs() - startedAtMs);
    stdout.write(
      options.json ? asJson(config, outcomes, durationMs) : asLines(config, outcomes, durationMs, target),
    );
    return outcomes.every(({ kind }) => kind === 'warm') ? EXIT.all : EXIT.partly;
  } finally {
    progress.close();
    caller.close();
    await stop();
    clearInterval(alive);
  }
}

const SILENT: Output = { write: () => undefined };

type Reached = { readonly target: GatewayTarget; readonly stop: () => Promise<void> };

async function reach({ config, target, caCert }: WarmupOptions): Promise<Reached> {
  if (target !== undefined) return { target: parseTarget(target, caCert), stop: () => Promise.resolve() };
  if (config.redis.addrs.length === 0) {
    throw new GatewayError(
      'config-invalid',
      'warmup: found neither --target nor redis.addrs, so that nobody would keep the answers; allowed: --target host:port of a running gateway, or redis.addrs',
    );
  }
  const gateway = createGateway({ config: onLoopback(config), logDestination: process.stderr });
  const { listen } = await gateway.start();
  const authority = `${listen.host}:${listen.port}`;
  return { target: { authority, tls: false, caCert: '' }, stop: () => gateway.stop() };
}

/** The same gateway, for nobody but this command: no port and no file of the one that serves. */
function onLoopback(config: Config): Config {
  const none = { caCert: '', cert: '', key: '', clientAuth: 'none' } as const;
  return {
    ...config,
    mode: 'answer',
    server: { ...config.server, listen: { host: '127.0.0.1', port: 0 }, tls: none },
    metrics: { ...config.metrics, enable: false },
    admin: { ...config.admin, enable: false },
    snapshot: { ...config.snapshot, dir: '' },
    // Asked here, one by one, and counted.
    warmup: { ...config.warmup, requests: [] },
    log: { level: 'error' },
  };
}

function countsOf(outcomes: readonly Outcome[]): { warm: number; stale: number; failed: number } {
  const count = (kind: Outcome['kind']): number => outcomes.filter((one) => one.kind === kind).length;
  return { warm: count('warm'), stale: count('stale'), failed: count('failed') };
}

function asLines(
  { warmup }: Config,
  outcomes: readonly Outcome[],
  durationMs: number,
  target: GatewayTarget,
): string {
  const { warm } = countsOf(outcomes);
  const lines = outcomes.flatMap((outcome, index) => {
    const { method, version } = warmup.requests[index] ?? { method: '', version: '' };
    const name = `warmup.requests[${index}] ${method} ${version}`;
    switch (outcome.kind) {
      case 'warm':
        return [];
      case 'stale':
        return [
          `${name}: only an answer ${Math.round(outcome.ageMs / 1000)} s old; the manager has not answered`,
        ];
      case 'failed':
        return [`${name}: ${outcome.detail}`];
      default:
        return outcome satisfies never;
    }
  });
  const seconds = (durationMs / 1000).toFixed(1);
  const summary =
    outcomes.length === 0
      ? 'nothing to ask: warmup.requests is empty'
      : `${warm} of ${outcomes.length} answers of ${target.authority} are warm, in ${seconds} s`;
  return `${[...lines, summary].join('\n')}\n`;
}

function asJson({ warmup }: Config, outcomes: readonly Outcome[], durationMs: number): string {
  const questions = outcomes.map((outcome, index) => ({ ...warmup.requests[index], outcome }));
  return `${JSON.stringify({ total: outcomes.length, ...countsOf(outcomes), durationMs, questions })}\n`;
}
