import type { Metadata } from '../rpc/metadata.js';
import type { ReadHandler } from '../rpc/read.js';
import type { Upstream } from './upstream.js';

/** What goes up in place of the caller's metadata: a trace context of our own. */
type Outgoing = (metadata: Metadata) => Metadata;

const asItIs: Outgoing = (metadata) => metadata;

/** The last step of a read: one attempt at a manager. */
export function ask(upstream: Pick<Upstream, 'unary'>, outgoing: Outgoing = asItIs): ReadHandler {
  return async ({ question, metadata, message, deadlineMs, signal, trial }) => {
    const { path } = question;
    const waitForReady = trial === true;
    const answer = await upstream.unary({
      path,
      metadata: outgoing(metadata),
      message,
      deadlineMs,
      signal,
      waitForReady,
    });
    return { ...answer, source: 'miss', coalesced: false };
  };
}
