import { classify } from '../../breaker/classify.js';
import type { Clock } from '../../rpc/clock.js';
import { statusText } from '../../rpc/status.js';
import type { EncodedRequest } from '../../warmup/requests.js';
import type { GatewayCaller, Said } from '../gateway-caller.js';
import type { Counts } from './progress.js';

/** How a question ended. `stale`: only the answer of before. */
export type Outcome =
  | { readonly kind: 'warm' }
  | { readonly kind: 'stale'; readonly ageMs: number }
  | { readonly kind: 'failed'; readonly detail: string };

export interface KeptInRedis {
  /** Does the answer to it lie there? */
  has(question: EncodedRequest): Promise<boolean>;
  /** The last thing that went wrong there. */
  readonly trouble: string | undefined;
}

export interface FillOptions {
  readonly caller: Pick<GatewayCaller, 'call'>;
  /** Where the answers are to lie; absent: whoever answers keeps them. */
  readonly redis?: KeptInRedis;
  readonly questions: readonly EncodedRequest[];
  readonly perSecond: number;
  /** Of one call, ms. */
  readonly requestTimeoutMs: number;
  /** Monotonic ms: what is not warm by then stays so. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly onProgress: (counts: Counts, now: string) => void;
  /** Aborted: asks no more. */
  readonly signal: AbortSignal;
}

/** Askings at one time. */
const MAX_PENDING = 16;
/** Before what has failed is asked again. */
const AGAIN_MS = 1_000;

/** Asks every question until the manager's answer is there or time is up. One outcome for each question, in their order. */
export async function fill(options: FillOptions): Promise<Outcome[]> {
  const { clock, questions } = options;
  const outcomes: Outcome[] = questions.map(() => ({ kind: 'failed', detail: 'not asked' }));
  const tell = (now: string): void => {
    const warm = outcomes.filter(({ kind }) => kind === 'warm').length;
    const open = outcomes.filter(isOpen).length;
    options.onProgress({ total: questions.length, warm, open }, now);
  };
  for (;;) {
    await round(options, outcomes, tell);
    const done = outcomes.every(({ kind }) => kind === 'warm');
    if (done || options.signal.aborted || clock.nowMs() + AGAIN_MS >= options.deadlineMs) return outcomes;
    await pause(options, AGAIN_MS);
  }
}

/** Every question that is not warm, once. */
async function round(options: FillOptions, outcomes: Outcome[], tell: (now: string) => void): Promise<void> {
  const { clock } = options;
  const pending = new Set<Promise<void>>();
  for (const [index, question] of options.questions.entries()) {
    if (outcomes[index]?.kind === 'warm') continue;
    const leftMs = options.deadlineMs - clock.nowMs();
    if (leftMs <= 0 || options.signal.aborted) break;
    if (pending.size >= MAX_PENDING) await Promise.race(pending);
    const timeoutMs = Math.min(options.requestTimeoutMs, leftMs);
    const asking = one(options, question, timeoutMs).then((outcome) => {
      outcomes[index] = outcome;
      pending.delete(asking);
      tell(question.path.slice(question.path.lastIndexOf('/') + 1));
    });
    pending.add(asking);
    await pause(options, 1000 / options.perSecond);
  }
  await Promise.all(pending);
}

async function one(
  { caller, redis }: FillOptions,
  question: EncodedRequest,
  timeoutMs: number,
): Promise<Outcome> {
  const said = await caller.call(question.path, question.message, timeoutMs);
  const outcome = outcomeOf(said);
  if (outcome.kind !== 'warm' || redis === undefined || (await redis.has(question))) return outcome;
  const trouble = redis.trouble === undefined ? '' : ` (${redis.trouble})`;
  const detail = `the manager has answered ${statusText(said.status)}, and that is not in Redis${trouble}`;
  return { kind: 'failed', detail };
}

export function outcomeOf({ status, trailers }: Said): Outcome {
  if (classify(status) !== undefined) return { kind: 'failed', detail: statusText(status) };
  if (trailers['x-dfmgw-cache'] !== 'stale') return { kind: 'warm' };
  return { kind: 'stale', ageMs: Number(trailers['x-dfmgw-age-ms'] ?? 0) };
}

function isOpen(outcome: Outcome): boolean {
  return outcome.kind === 'stale' || (outcome.kind === 'failed' && outcome.detail !== 'not asked');
}

function pause({ clock, signal }: FillOptions, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.setTimer(delayMs, end);
    signal.addEventListener('abort', end, { once: true });
  });
}
