import type { ErrorClass } from '../observe/events.js';
import { Code, type Status } from '../rpc/status.js';

/**
 * What a status of the manager means: undefined, a fact, the manager's right answer; `transient`, a fault that may
 * pass; `backpressure`, the manager asks for less; `permanent`, an answer that asking again will not change, but
 * no knowledge to keep. Measured on v2.1.55 and v2.5.1 (test/fixtures/recordings).
 */
export function classify(status: Status): ErrorClass | undefined {
  switch (status.code) {
    case Code.OK:
    case Code.NOT_FOUND:
    case Code.INVALID_ARGUMENT:
    case Code.FAILED_PRECONDITION:
    case Code.UNIMPLEMENTED:
      return undefined;
    case Code.INTERNAL:
    case Code.UNKNOWN:
      // The manager answers what it does not have, or may not do, like a crash.
      return FACTS_AS_FAULTS.test(status.message) ? undefined : 'transient';
    case Code.RESOURCE_EXHAUSTED:
      // Said of a message over our own limit, too: asking again brings the same message.
      return TOO_LARGE.test(status.message) ? 'permanent' : 'backpressure';
    case Code.UNAVAILABLE:
    case Code.DEADLINE_EXCEEDED:
    case Code.CANCELLED:
    case Code.ABORTED:
    case Code.DATA_LOSS:
      return 'transient';
    default:
      // ALREADY_EXISTS, PERMISSION_DENIED, OUT_OF_RANGE, UNAUTHENTICATED and strangers' codes: about this caller, not the manager.
      return 'permanent';
  }
}

const FACTS_AS_FAULTS = /record not found|object storage is disabled|duplicate entry/i;
const TOO_LARGE = /larger than/i;

/**
 * A fact about what was asked, which may be kept and shared: OK, NOT_FOUND, and what the manager says of a row or a
 * feature that is not there. UNIMPLEMENTED is none, because the next version of the manager may know the method.
 */
export function isEntry(status: Status): boolean {
  const negative =
    status.code === Code.INTERNAL || status.code === Code.UNKNOWN || status.code === Code.NOT_FOUND;
  return status.code === Code.OK || (negative && classify(status) === undefined);
}

/**
 * Is this about the request as it was written rather than about what it asks? The manager validates fields that its
 * answer does not depend on: such a status is for whoever sent those bytes, and for nobody who asks the same.
 */
export function isAboutRequest(status: Status): boolean {
  switch (status.code) {
    case Code.INVALID_ARGUMENT:
    case Code.FAILED_PRECONDITION:
    case Code.OUT_OF_RANGE:
    case Code.PERMISSION_DENIED:
    case Code.UNAUTHENTICATED:
      return true;
    default:
      return false;
  }
}

/** Has the manager said no to a write, so that nothing has changed? A fault says nothing of the kind. */
export function isRefusal(status: Status): boolean {
  return status.code !== Code.OK && classify(status) !== 'transient';
}

/** Would anybody have been told so just now, whoever asked? */
export function isCommonFault(status: Status): boolean {
  const errorClass = classify(status);
  return status.code === Code.UNIMPLEMENTED || errorClass === 'transient' || errorClass === 'backpressure';
}
