import { GatewayError } from '../errors.js';
import type { Emit } from '../observe/events.js';
import { createByteBudget, isCounted } from '../rpc/byte-budget.js';
import type { Clock } from '../rpc/clock.js';
import { createSlots } from '../rpc/slots.js';

/**
 * Answers that are passed on as they come. grpc-js receives a message whole before its caller has taken any of it, so that who asks for large ones and
 * does not read them has the gateway hold them.
 */
export interface AnswersUnderWay {
  /**
   * Resolves when a call of this method may begin, with what is to be called once its first answer is there, or it has ended. undefined: it
   * may at once, as those of which the answers are known to be small.
   */
  opening(path: string): Promise<() => void> | undefined;
  /** Holds an answer until what it returns is called; an error, which has been counted: too much is held already. */
  hold(path: string, sizeBytes: number): (() => void) | GatewayError;
}

export interface AnswersUnderWayOptions {
  readonly limits: { readonly bytesInFlight: number };
  /** Of Dragonfly's API: its lists are small, and thousands of its streams begin in the same second. */
  readonly isKnown: (path: string) => boolean;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** What comes of these is not counted yet; the next begins when the size of one is known, or it takes its time, as a stream may. */
const OPENING_AT_ONCE = 4;
const OPENING_MS = 100;
/** Methods that are remembered: a caller may invent any number. */
const MOST_METHODS = 1_024;

const nothing = (): void => undefined;

export function createAnswersUnderWay(options: AnswersUnderWayOptions): AnswersUnderWay {
  const { limits, isKnown, clock, emit } = options;
  const budget = createByteBudget(() => limits.bytesInFlight);
  const inTurn = createSlots(OPENING_AT_ONCE, OPENING_MS, clock);
  /** Methods by whether their last answer was small; the oldest first. */
  const small = new Map<string, boolean>();

  return {
    opening(path) {
      if (isKnown(path) || small.get(path) === true) return undefined;
      return new Promise((resolve) => {
        void inTurn(() => new Promise<void>((isKnownNow) => resolve(isKnownNow)));
      });
    },
    hold(path, sizeBytes) {
      const isLarge = isCounted(sizeBytes);
      if (!isKnown(path)) {
        small.delete(path);
        small.set(path, !isLarge);
        const [oldest] = small.keys();
        if (small.size > MOST_METHODS && oldest !== undefined) small.delete(oldest);
      }
      if (!isLarge) return nothing;
      if (budget.take(sizeBytes)) return () => budget.give(sizeBytes);
      const detail = `an answer of ${sizeBytes} bytes while ${budget.usedBytes} wait for callers that do not read them; ${budget.limitBytes} are allowed (server.limits.bytesInFlight)`;
      emit({ kind: 'limit-reached', limit: 'bytes-in-flight', detail });
      return new GatewayError('overloaded', detail);
    },
  };
}
