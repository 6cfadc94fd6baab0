import type { Clock, Timer } from '../rpc/clock.js';
import type { AddressState, AnswerKind, BreakerStateName, GatewayEvent } from './events.js';

/** What happened in one interval, and how things stood at its end. */
export interface Sample {
  /** End of the interval, Unix ms, for people. */
  readonly atWallMs: number;
  readonly answers: Readonly<Record<AnswerKind, number>>;
  /** Attempts that came back from a manager, and those of them that were faults. */
  readonly attempts: number;
  readonly faults: number;
  /** Of the attempts; null: there were none. */
  readonly meanLatencyMs: number | null;
  readonly connectionsOpened: number;
  readonly channelsCreated: number;
  readonly connections: number;
  readonly channelsReady: number;
  readonly managers: readonly ManagerMoment[];
  /** Those that are not closed, by method. */
  readonly breakers: Readonly<Record<string, Exclude<BreakerStateName, 'closed'>>>;
}

/** How one manager address stood. */
export interface ManagerMoment {
  readonly address: string;
  readonly state: AddressState;
  /** Of the last probe; null: none has come back. */
  readonly latencyMs: number | null;
  readonly readyChannels: number;
}

/** The last hour in steps of five seconds: enough for curves, and bounded. */
export interface History {
  readonly subscriber: (event: GatewayEvent) => void;
  readonly stepMs: number;
  /** Oldest first. */
  samples(): readonly Sample[];
  /** Told of each new sample; returns the way to stop. */
  watch(told: (sample: Sample) => void): () => void;
  start(): void;
  stop(): void;
}

/** What is sampled of an address. */
type Standing = Omit<ManagerMoment, 'latencyMs'> & { readonly latencyMs: number | undefined };

export interface HistoryOptions {
  readonly connections: () => number;
  readonly managers: () => readonly Standing[];
  readonly breakers: () => ReadonlyMap<string, BreakerStateName>;
  readonly clock: Clock;
}

const STEP_MS = 5_000;
const SAMPLES = 720;

type Counting = {
  answers: Record<AnswerKind, number>;
  attempts: number;
  faults: number;
  latencySumMs: number;
  connectionsOpened: number;
  channelsCreated: number;
};

const nothing = (): Counting => ({
  answers: { hit: 0, stale: 0, miss: 0, forwarded: 0, local: 0, refused: 0 },
  attempts: 0,
  faults: 0,
  latencySumMs: 0,
  connectionsOpened: 0,
  channelsCreated: 0,
});

export function createHistory({ connections, managers, breakers, clock }: HistoryOptions): History {
  const samples: Sample[] = [];
  const watchers = new Set<(sample: Sample) => void>();
  let now = nothing();
  let timer: Timer | undefined;

  const take = (): void => {
    const { latencySumMs, ...counted } = now;
    const statuses = managers();
    const sample: Sample = {
      ...counted,
      atWallMs: clock.wallMs(),
      meanLatencyMs: counted.attempts === 0 ? null : rounded(latencySumMs / counted.attempts),
      connections: connections(),
      channelsReady: statuses.reduce((sum, { readyChannels }) => sum + readyChannels, 0),
      managers: statuses.map(momentOf),
      breakers: notClosed(breakers()),
    };
    now = nothing();
    samples.push(sample);
    if (samples.length > SAMPLES) samples.shift();
    for (const told of [...watchers]) told(sample);
    timer = clock.setTimer(STEP_MS, take);
  };

  return {
    subscriber(event) {
      switch (event.kind) {
        case 'call-answered':
          now.answers[event.answer]++;
          return;
        case 'manager-answered':
          now.attempts++;
          now.latencySumMs += event.latencyMs;
          if (event.errorClass !== undefined) now.faults++;
          return;
        case 'connection-opened':
          now.connectionsOpened++;
          return;
        case 'channel-created':
          now.channelsCreated++;
          return;
        default:
          // The rest is for the log and the metrics.
          return;
      }
    },
    stepMs: STEP_MS,
    samples: () => samples,
    watch(told) {
      watchers.add(told);
      return () => watchers.delete(told);
    },
    start() {
      timer = clock.setTimer(STEP_MS, take);
    },
    stop: () => timer?.cancel(),
  };
}

function momentOf({ address, state, latencyMs, readyChannels }: Standing): ManagerMoment {
  return { address, state, latencyMs: latencyMs === undefined ? null : rounded(latencyMs), readyChannels };
}

function notClosed(states: ReadonlyMap<string, BreakerStateName>): Sample['breakers'] {
  const found: [string, Exclude<BreakerStateName, 'closed'>][] = [];
  for (const [method, state] of states) if (state !== 'closed') found.push([method, state]);
  return Object.fromEntries(found);
}

/** An hour of samples is sent to each page that opens. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
