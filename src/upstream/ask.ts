import type { ReadHandler } from '../rpc/read.js';
import type { Upstream } from './upstream.js';

/** The last step of a read: one attempt at a manager. */
export function ask(upstream: Pick<Upstream, 'unary'>): ReadHandler {
  return async ({ question, metadata, message, deadlineMs, signal, trial }) => {
    const { path } = question;
    const waitForReady = trial === true;
    const answer = await upstream.unary({ path, metadata, message, deadlineMs, signal, waitForReady });
    return { ...answer, source: 'miss', coalesced: false };
  };
}
