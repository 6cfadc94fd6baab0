import type { Reply } from './call.js';

/** What one attempt brought: the manager's words, when they were asked for, and by whom they were said. */
export interface Answer {
  readonly reply: Reply;
  /** On the monotonic clock, ms: just before the request went out. */
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
  /** Position in `managers.addrs`, as text: a label from a closed set. */
  readonly manager: string;
}
