import type { Question } from '../../rpc/question.js';
import type { AskedAt } from './envelope.js';
import type { Span } from './exchange.js';
import type { LookedUp } from './replies.js';

/** One look into Redis: its time, this process's, and what was there. */
export type Seen = LookedUp &
  Span & {
    /** The question whose answer was found; undefined: none was. */
    readonly found: Question | undefined;
    /** When that was asked for. */
    readonly foundAsked: AskedAt | undefined;
    /** What was looked for. */
    readonly question: Question;
  };
