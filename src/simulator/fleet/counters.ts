import { Code, codeName } from '../../rpc/status.js';
import { type CallOutcome, isAnswer } from './call-outcome.js';
import type { Cohort, Identity, MemberKind } from './identity.js';
import { LatencyHistogram } from './latency-histogram.js';

/** `empty`: a list of schedulers with nobody in it, which is of no use to anybody who asks. */
export interface Tally {
  answered: number;
  empty: number;
  failed: number;
}

export type StreamEvent = 'opened' | 'broken';

/** What the whole fleet has met so far. */
export class Counters {
  /** Of known callers: what cold ones wait for in vain says nothing about them. */
  readonly latency = new LatencyHistogram();
  readonly tallies: Record<Cohort, Tally> = { known: tally(), cold: tally() };
  /** Processes that gave up in their start. */
  readonly exits: Record<MemberKind, Record<Cohort, number>> = {
    'rust-daemon': { known: 0, cold: 0 },
    'go-daemon': { known: 0, cold: 0 },
    scheduler: { known: 0, cold: 0 },
    'seed-peer': { known: 0, cold: 0 },
  };
  readonly streams: Record<StreamEvent, number> = { opened: 0, broken: 0 };
  readonly #byMethod = new Map<string, Tally>();
  readonly #failuresByCode = new Map<string, number>();
  #channels = 0;

  /** Counts one call as the caller saw it, its own retries within; says whether it was of use. */
  call(cohort: Cohort, method: string, outcome: CallOutcome, isEmpty = false): boolean {
    const result = isAnswer(outcome) ? (isEmpty ? 'empty' : 'answered') : 'failed';
    this.tallies[cohort][result]++;
    const ofMethod = this.#byMethod.get(method) ?? tally();
    ofMethod[result]++;
    this.#byMethod.set(method, ofMethod);
    if (cohort === 'known') this.latency.record(outcome.latencyMs);
    if (result === 'failed') {
      const name = codeName(outcome.code === Code.OK ? Code.UNKNOWN : outcome.code);
      this.#failuresByCode.set(name, (this.#failuresByCode.get(name) ?? 0) + 1);
    }
    return result === 'answered';
  }

  exit(who: Identity): void {
    this.exits[who.kind][who.cohort]++;
  }

  channelOpened(): void {
    this.#channels++;
  }

  /** Channels the fleet has made; each opens one connection, or more when it breaks. */
  get channels(): number {
    return this.#channels;
  }

  get byMethod(): Readonly<Record<string, Tally>> {
    return Object.fromEntries([...this.#byMethod].map(([method, counted]) => [method, { ...counted }]));
  }

  get failuresByCode(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#failuresByCode);
  }
}

function tally(): Tally {
  return { answered: 0, empty: 0, failed: 0 };
}
