import { Code } from '../../rpc/status.js';

/** How one call ended, as its caller sees it. `body` only with status OK. */
export interface CallOutcome {
  readonly code: number;
  readonly message: string;
  readonly body: Buffer | undefined;
  readonly latencyMs: number;
}

/**
 * Was the caller told something true of the manager's world? Apart from OK these are the facts of the protocol
 * page: they are normal, and a caller goes on as it would. Judged here on its own, not with the gateway's table,
 * so that the two can disagree.
 */
export function isAnswer(outcome: CallOutcome): boolean {
  switch (outcome.code) {
    case Code.OK:
    case Code.NOT_FOUND:
      return true;
    case Code.INTERNAL:
    case Code.UNKNOWN:
      return outcome.message === 'record not found' || outcome.message === 'object storage is disabled';
    default:
      return false;
  }
}
