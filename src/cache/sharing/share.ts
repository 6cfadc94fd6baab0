import { codeOf } from '../../errors.js';
import type { Answer } from '../../rpc/answer.js';
import type { Question } from '../../rpc/question.js';
import type { Read, ReadAnswer, ReadHandler, Stage } from '../../rpc/read.js';
import { Code } from '../../rpc/status.js';
import { askerOf, sharableAsker } from './asker.js';
import type { Knowledge } from './knowledge.js';
import { newestOnly } from './newest.js';
import { isUndecided, sharedQuestion } from './shared-question.js';
import { createStandIns, type StandInOptions } from './stand-ins.js';

/** Callers whose shared question is kept at hand. */
const CALLERS = 131_072;

/** How often somebody else's answer may turn out not to be this caller's before he asks for himself. */
const TRIES = 3;

export interface SharingOptions extends StandInOptions {
  readonly knowledge: Knowledge;
  /** Would everybody have got this fault just now, whoever asked? */
  readonly isCommonFault: (answer: Answer) => boolean;
}

export interface Sharing {
  /** Above recall. */
  readonly stage: Stage;
  /** What `recall` finds of the question whose entry answers `read` now, as the stage would give it. */
  hit(read: Read, recall: (question: Question) => ReadAnswer | undefined): ReadAnswer | undefined;
  /** The question whose entry answers `read` now. */
  questionOf(read: Read): Question;
  /** What an answer that came for `read` is an answer to, now that it is known. */
  filedUnder(read: Read, answer: Answer): Question;
  /** What it is stored under when the guard lets it take over. */
  storedUnder(read: Read, answer: Answer): Question;
}

/**
 * Lets callers who would get the same answer ask as one. What the lists tell decides (see knowledge.ts), and it decides
 * again when an answer has come: one that shows that more than was thought depends on who asks is its asker's alone, and
 * those who waited for it ask again.
 */
export function createSharing(options: SharingOptions): Sharing {
  const { knowledge } = options;
  const questions = newestOnly<Question>(CALLERS);
  let revision = knowledge.revision;
  const standIns = createStandIns(options);

  const questionOf = (own: Question, message: Buffer): Question => {
    const asker = sharableAsker(own, message);
    if (asker === undefined) return own;
    if (revision !== knowledge.revision) {
      questions.clear();
      revision = knowledge.revision;
    }
    const known = questions.get(own.key);
    if (known !== undefined) return known;
    const question = sharedQuestion(own, asker, knowledge.dependenceOf(asker));
    questions.set(own.key, question);
    return question;
  };

  /** Another caller's asking, or an entry: is it this caller's answer, too? */
  const isTheirs = (read: Read, question: Question, answer: ReadAnswer): boolean => {
    if (answer.source === 'miss' && !answer.coalesced) return true;
    if (answer.key === undefined) return options.isCommonFault(answer);
    return answer.key === question.key && questionOf(read.question, read.message).key === question.key;
  };

  /** The asking has failed and yet been of use: what another replica was given has shown who would get the same. */
  const isDecided = (read: Read, question: Question): boolean =>
    isUndecided(question) && !isUndecided(questionOf(read.question, read.message));

  const asOne = async (next: ReadHandler, read: Read): Promise<ReadAnswer> => {
    const own = read.question;
    for (let tries = 0; tries < TRIES; tries++) {
      const question = questionOf(own, read.message);
      // What the manager said to this caller alone before anybody knew is his, as it would be without sharing.
      if (question === own || (isUndecided(question) && options.store.peek(own.key) !== undefined)) break;
      let answer: ReadAnswer;
      try {
        answer = await next(askedAs(read, question));
      } catch (error) {
        if (leaves(error) || !isDecided(read, question)) throw error;
        continue;
      }
      if (!isTheirs(read, question, answer)) continue;
      if (!options.isFact(answer) && isDecided(read, question)) continue;
      if (answer.key !== question.key) return answer;
      standIns.note(own, question.key);
      return answer.source === 'miss' ? answer : { ...answer, via: 'shared' };
    }
    return next(askedAs(read, own));
  };

  return {
    stage: (next) => (read) => {
      if (sharableAsker(read.question, read.message) === undefined) return next(read);
      return standIns.within(read, questionOf(read.question, read.message), () => asOne(next, read));
    },
    hit({ question: own, message }, recall) {
      const question = questionOf(own, message);
      const answer = recall(question);
      if (answer === undefined || question === own) return answer;
      standIns.note(own, question.key);
      return { ...answer, via: 'shared' };
    },
    questionOf: ({ question, message }) => questionOf(question, message),
    filedUnder(read, answer) {
      const own = read.own ?? read.question;
      // Poorer than what is there: not to be believed before the guard believes it (Rust v1.5.1 exits on such a list).
      const hasRicher = read.own !== undefined && options.store.peek(read.question.key) !== undefined;
      if (hasRicher && knowledge.isWithoutClusters(own, answer)) return read.question;
      const shown = knowledge.learn(own, answer);
      const question = questionOf(own, read.message);
      if (isUndecided(question)) return own;
      if (shown !== 'other') return question;
      // What the manager refuses it refuses this caller; but a cluster that is gone is gone for all who ask for it.
      return isGone(answer) && askerOf(own)?.clusterId !== undefined ? question : own;
    },
    storedUnder: ({ question, own }, answer) =>
      own !== undefined && knowledge.isWithoutClusters(own, answer) ? own : question,
  };
}

/** Not a spread, which would ask for the signal, and make one for every hit. */
function askedAs(read: Read, question: Question): Read {
  const { metadata, message, deadlineMs, attempts, patient = false, question: own } = read;
  return {
    question,
    own,
    metadata,
    message,
    deadlineMs,
    attempts,
    patient,
    get signal() {
      return read.signal;
    },
  };
}

/** Whoever waits has left, or his time is over. */
function leaves(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'caller-cancelled' || code === 'deadline-exceeded';
}

function isGone({ reply: { status } }: Answer): boolean {
  return status.code !== Code.OK && /record not found/i.test(status.message);
}
