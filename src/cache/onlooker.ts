import { codeOf, GatewayError } from '../errors.js';
import type { SingleFlight } from '../flight/single-flight.js';
import type { Emit } from '../observe/events.js';
import type { Answer } from '../rpc/answer.js';
import type { Clock, Timer } from '../rpc/clock.js';
import { compose, type Read, type ReadAnswer, type ReadHandler, type Stage } from '../rpc/read.js';

/** A read that is forwarded, while it is found out how it would have been answered. */
export interface Watched {
  /** The manager has said this to its caller. */
  saw(answer: Answer): void;
  /** The call has ended. What was not seen by now never is. */
  ended(): void;
}

export interface OnlookerOptions {
  /** What a read meets before it joins others who ask the same. */
  readonly above: readonly Stage[];
  /** Of its own: what is only looked at is not to be waited for by who is answered. */
  readonly flight: Pick<SingleFlight, 'stage'>;
  /** How long one asking may take. */
  readonly flightTimeoutMs: number;
  /** Keeps what was seen as `answer` would; rejects where it would not have been taken. */
  readonly remember: (read: Read, answer: Answer) => Promise<ReadAnswer>;
  readonly clock: Clock;
  readonly emit: Emit;
}

/**
 * For `observe`: a read goes through the stages that would have answered it, and where these ask, they get what the manager said
 * to its caller, when it has said it. So what is counted is what would have been, faults and slowness of the manager included.
 * What nobody would have asked for is not remembered either: memory would be fresher than `answer` ever has it, and count hits
 * that would be none. Whatever goes wrong in here, the call itself does not notice.
 */
export function createOnlooker(options: OnlookerOptions): (read: Read) => Watched {
  return (read) => new Watching(options, read);
}

class Watching implements Watched {
  readonly #options: OnlookerOptions;
  /** What the manager says to the caller. */
  readonly #said: Promise<Answer>;
  #say: (answer: Answer) => void = () => undefined;
  #fail: (error: GatewayError) => void = () => undefined;
  #timer: Timer | undefined;
  #asked = false;
  #over = false;

  constructor(options: OnlookerOptions, read: Read) {
    this.#options = options;
    this.#said = new Promise((resolve, reject) => {
      [this.#say, this.#fail] = [resolve, reject];
    });
    // Where nobody asks nobody hears that there was nothing, either.
    this.#said.catch(() => undefined);
    void this.#count(read);
  }

  saw(answer: Answer): void {
    this.#end();
    this.#say(answer);
  }

  ended(): void {
    this.#end();
    this.#fail(new GatewayError('caller-cancelled', 'the caller has left'));
  }

  #end(): void {
    this.#over = true;
    this.#timer?.cancel();
  }

  async #count(read: Read): Promise<void> {
    const { above, flight, emit } = this.#options;
    const method = read.question.path.slice(1);
    try {
      const { source: answer, via: source = 'own' } = await compose(
        [...above, this.#orAlone, flight.stage],
        this.#ask,
      )(read);
      emit({ kind: 'would-have-answered', method, answer, source });
    } catch (error) {
      this.#report(error);
      // With nothing that could stand in, what the caller hears is what he would have heard.
      emit({ kind: 'would-have-answered', method, answer: 'miss', source: 'own' });
    }
  }

  /** Who asked for all may leave before the manager has answered, where `answer` would go on asking: what it says to the next one will do. */
  readonly #orAlone: Stage = (next) => async (read) => {
    try {
      return await next(read);
    } catch (error) {
      const left = codeOf(error) === 'caller-cancelled';
      if (this.#asked || !left) throw error;
      return this.#ask(read);
    }
  };

  readonly #ask: ReadHandler = async (read) => {
    this.#wait();
    const answer = await this.#said;
    try {
      return await this.#options.remember(read, answer);
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      this.#report(error);
      throw new GatewayError('internal', 'the answer could not be remembered', { cause: error });
    }
  };

  #wait(): void {
    if (this.#asked || this.#over) return;
    this.#asked = true;
    const { clock, flightTimeoutMs } = this.#options;
    this.#timer = clock.setTimer(flightTimeoutMs, () =>
      this.#fail(new GatewayError('manager-timeout', 'the manager has not answered')),
    );
  }

  /** Of another manager, or nothing: told of where it was found out. */
  #report(error: unknown): void {
    if (error instanceof GatewayError) return;
    this.#options.emit({ kind: 'internal-error', where: 'finding out what observe would answer', error });
  }
}
