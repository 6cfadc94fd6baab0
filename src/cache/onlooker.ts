import { GatewayError } from '../errors.js';
import type { Emit } from '../observe/events.js';
import type { Answer } from '../rpc/answer.js';
import { compose, type Read, type ReadAnswer, type ReadHandler, type Stage } from '../rpc/read.js';

/** A read that is forwarded, while it is found out how it would have been answered. */
export interface Watched {
  /** The manager has said this to its caller. */
  saw(answer: Answer): void;
  /** The call has ended. What was not seen by now never is. */
  ended(): void;
}

export interface OnlookerOptions {
  /** What a read meets before anybody is asked. */
  readonly above: readonly Stage[];
  /** Keeps what was seen as `answer` would; rejects where it would not have been taken. */
  readonly remember: (read: Read, answer: Answer) => Promise<ReadAnswer>;
  readonly emit: Emit;
}

/**
 * For `observe`: a read goes through the stages that would have answered it, and where these ask, they get what the manager said
 * to its caller, when it has said it. So what is counted is what would have been, faults and slowness of the manager included.
 * What nobody would have asked for is not remembered either: memory would be fresher than `answer` ever has it, and count hits
 * that would be none.
 */
export function createOnlooker(options: OnlookerOptions): (read: Read) => Watched {
  return (read) => new Watching(options, read);
}

class Watching implements Watched {
  readonly #options: OnlookerOptions;
  readonly #read: Read;
  readonly #asked: Promise<ReadAnswer>;
  #hear: (answer: Promise<ReadAnswer>) => void = () => undefined;
  #fail: (error: GatewayError) => void = () => undefined;
  #wanted = false;
  #taken = false;
  #seen: Answer | undefined;

  constructor(options: OnlookerOptions, read: Read) {
    this.#options = options;
    this.#read = read;
    this.#asked = new Promise<ReadAnswer>((resolve, reject) => {
      [this.#hear, this.#fail] = [resolve, reject];
    });
    this.#asked.catch((error: unknown) => this.#report(error));
    const ask: ReadHandler = () => {
      this.#wanted = true;
      this.#take();
      return this.#asked;
    };
    const method = read.question.path.slice(1);
    const wouldBe = compose(options.above, ask)(read);
    wouldBe.then(
      ({ source }) => options.emit({ kind: 'would-have-answered', method, answer: source }),
      // With nothing that could stand in, what the caller hears is what he would have heard.
      () => options.emit({ kind: 'would-have-answered', method, answer: 'miss' }),
    );
  }

  saw(answer: Answer): void {
    this.#seen = answer;
    this.#take();
  }

  ended(): void {
    if (this.#seen !== undefined) return;
    this.#fail(new GatewayError('manager-unavailable', 'the manager has said nothing'));
  }

  #take(): void {
    if (!this.#wanted || this.#seen === undefined || this.#taken) return;
    this.#taken = true;
    this.#hear(this.#options.remember(this.#read, this.#seen));
  }

  /** Of another manager, or nothing: told of where it was found out, and not remembered. */
  #report(error: unknown): void {
    if (error instanceof GatewayError) return;
    this.#options.emit({ kind: 'internal-error', where: 'remembering what observe saw', error });
  }
}
