import { GatewayError } from '../errors.js';
import type { Emit } from '../observe/events.js';
import type { Clock, Timer } from '../rpc/clock.js';
import type { Question } from '../rpc/question.js';
import type { Read, ReadAnswer, ReadHandler, Stage } from '../rpc/read.js';

export interface SingleFlightOptions {
  /** How long one asking may take, attempts and pauses included. */
  readonly flightTimeoutMs: number;
  /** Must a question not join an asking that began then? (Something it is made of was written since.) */
  readonly isVoid: (tags: readonly string[], startedAtMs: number) => boolean;
  /** Is this answer for the very bytes of the request only? Then those who sent others ask for themselves. */
  readonly isAboutRequest: (answer: ReadAnswer) => boolean;
  readonly clock: Clock;
  readonly emit: Emit;
}

export interface SingleFlight {
  readonly stage: Stage;
  /** Since when somebody is asking this in a way that others may join, monotonic ms; undefined: nobody is. */
  askingSinceMs(question: Question): number | undefined;
  readonly size: number;
}

interface Flight {
  readonly startedAtMs: number;
  readonly message: Buffer;
  readonly answer: Promise<ReadAnswer>;
}

/**
 * One asking per question at a time. The asking belongs to nobody: it has a deadline of its own, and a caller who
 * leaves, the first one included, takes nothing from the others.
 */
export function createSingleFlight(options: SingleFlightOptions): SingleFlight {
  const flights = new Map<string, Flight>();

  const joinable = ({ key, tags }: Question): Flight | undefined => {
    const flight = flights.get(key);
    return flight === undefined || options.isVoid(tags, flight.startedAtMs) ? undefined : flight;
  };

  const start = (next: ReadHandler, read: Read): Flight => {
    const { key } = read.question;
    const startedAtMs = options.clock.nowMs();
    const answer = next(detached(options, read)).finally(() => {
      if (flights.get(key) === flight) flights.delete(key);
    });
    const flight: Flight = { startedAtMs, message: read.message, answer };
    // Everybody may have left by the time it fails.
    answer.catch(() => undefined);
    flights.set(key, flight);
    return flight;
  };

  const ask = async (next: ReadHandler, read: Read): Promise<ReadAnswer> => {
    const running = joinable(read.question);
    if (running === undefined) return start(next, read).answer;
    options.emit({ kind: 'call-coalesced', method: read.question.path.slice(1) });
    const answer = await running.answer;
    // Again through here, so that all who had joined a bad request ask together.
    if (options.isAboutRequest(answer) && !running.message.equals(read.message)) return ask(next, read);
    return { ...answer, coalesced: true };
  };

  return {
    stage: (next) => (read) => waitFor(ask(next, read), read, options.clock),
    askingSinceMs: (question) => joinable(question)?.startedAtMs,
    get size() {
      return flights.size;
    },
  };
}

/** The asking as it goes on without whoever began it. */
function detached({ clock, flightTimeoutMs }: SingleFlightOptions, read: Read): Read {
  return { ...read, deadlineMs: clock.nowMs() + flightTimeoutMs, signal: undefined };
}

/** Waits until the answer, the caller's deadline or the caller's leaving, whichever comes first. */
function waitFor(answer: Promise<ReadAnswer>, read: Read, clock: Clock): Promise<ReadAnswer> {
  const { deadlineMs, signal } = read;
  if (deadlineMs === undefined && signal === undefined) return answer;
  return new Promise((resolve, reject) => {
    let timer: Timer | undefined;
    const settle = (): void => {
      timer?.cancel();
      signal?.removeEventListener('abort', leave);
    };
    const leave = (): void => {
      settle();
      const reason: unknown = signal?.reason;
      reject(
        reason instanceof GatewayError ? reason : new GatewayError('caller-cancelled', 'the caller has left'),
      );
    };
    // First of all, or the answer of someone who has left already fails with nobody to take it, which ends the process.
    answer.then(resolve, reject).finally(settle);
    if (signal?.aborted) return leave();
    signal?.addEventListener('abort', leave, { once: true });
    if (deadlineMs !== undefined) {
      timer = clock.setTimer(Math.max(0, deadlineMs - clock.nowMs()), () => {
        settle();
        reject(
          new GatewayError(
            'deadline-exceeded',
            "the caller's deadline passed while the manager was being asked",
          ),
        );
      });
    }
  });
}
