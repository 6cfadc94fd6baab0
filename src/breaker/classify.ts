import type { ErrorClass } from '../observe/events.js';
import { Code, type Status } from '../rpc/status.js';

/**
 * What a status of the manager means: undefined, a fact, the manager's right answer; `transient`, a fault that may
 * pass; `backpressure`, the manager asks for less; `permanent`, an answer that asking again will not change, but
 * no knowledge to keep. Measured on v2.1.55 and v2.5.1 (protocol.md §2).
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

/** A fact that may be kept as an answer. UNIMPLEMENTED is none: the next version of the manager may know the method. */
export function isEntry(status: Status): boolean {
  return status.code !== Code.UNIMPLEMENTED && classify(status) === undefined;
}

/** Would anybody have been told so just now, whoever asked? */
export function isCommonFault(status: Status): boolean {
  const errorClass = classify(status);
  return status.code === Code.UNIMPLEMENTED || errorClass === 'transient' || errorClass === 'backpressure';
}
