import type { AddressState } from '../../src/observe/events.js';
import type { Answer } from '../../src/rpc/answer.js';
import type { Reply, UnaryRequest } from '../../src/rpc/call.js';
import type { Clock } from '../../src/rpc/clock.js';
import { NO_METADATA } from '../../src/rpc/metadata.js';
import type { AddressStatus, Upstream } from '../../src/upstream/upstream.js';

/** One attempt that reached the manager, and the means to answer it whenever the test likes. */
export interface Asked {
  readonly request: UnaryRequest;
  answer(reply: Reply): void;
  fail(error: Error): void;
}

/** A manager in the test's hand: every attempt waits in `asked` until the test answers it. */
export class ScriptedUpstream implements Upstream {
  readonly asked: Asked[] = [];
  /** Set: attempts are answered at once by it instead of waiting. */
  auto: ((request: UnaryRequest) => Reply | Error) | undefined;
  attempts = 0;
  healthy = true;
  /** What the last probes found, one state per address. */
  states: readonly AddressState[] = [];
  readonly #clock: Pick<Clock, 'nowMs'>;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  unary(request: UnaryRequest): Promise<Answer> {
    this.attempts++;
    const askedAtMs = this.#clock.nowMs();
    const answered = (reply: Reply): Answer => ({
      reply,
      askedAtMs,
      answeredAtMs: this.#clock.nowMs(),
      manager: '0',
    });
    if (this.auto !== undefined) {
      const result = this.auto(request);
      return result instanceof Error ? Promise.reject(result) : Promise.resolve(answered(result));
    }
    return new Promise((resolve, reject) => {
      this.asked.push({ request, answer: (reply) => resolve(answered(reply)), fail: reject });
    });
  }

  forward(): Promise<never> {
    throw new Error('not scripted');
  }
  start(): void {}
  setAddresses(): void {}
  stop(): Promise<void> {
    return Promise.resolve();
  }
  describeTrouble(): string | undefined {
    return undefined;
  }
  statuses(): readonly AddressStatus[] {
    return this.states.map((state, index) => ({
      manager: String(index),
      address: `127.0.0.1:${index}`,
      state,
      sinceMs: 0,
      latencyMs: undefined,
      detail: '',
      channels: 1,
      readyChannels: Number(state !== 'failed'),
      inFlight: 0,
    }));
  }
  line(): undefined {
    return undefined;
  }
  lineTo(): undefined {
    return undefined;
  }

  watchLines(): () => void {
    return () => {};
  }
}

export const ok = (message: Buffer): Reply => ({
  headers: NO_METADATA,
  message,
  status: { code: 0, message: '' },
  trailers: NO_METADATA,
});

export const ended = (code: number, message: string): Reply => ({
  headers: NO_METADATA,
  message: undefined,
  status: { code, message },
  trailers: NO_METADATA,
});
