import type { Reply } from './call.js';
import type { Metadata } from './metadata.js';

/** An answer that is there before anybody has to wait for it; it has a message. */
export interface ReadyAnswer extends Pick<Reply, 'headers' | 'status'> {
  readonly message: Buffer;
  readonly trailers: Metadata;
}

/** What a call that has come whole may be answered with, in the same event. */
export interface AtOnce {
  /** Is it worth looking, for calls like this one? */
  accepts(path: string, metadata: Metadata): boolean;
  /** undefined: the call's handler has to answer it. Otherwise the call has been answered, and counts as such. */
  answer(path: string, metadata: Metadata, message: Buffer): ReadyAnswer | undefined;
}
