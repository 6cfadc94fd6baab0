import { Code, type Status } from './rpc/status.js';

/** Every way in which the gateway itself can fail a call, a start or a command. Stable: logs and docs name them. */
export type ErrorCode =
  | 'config-invalid'
  | 'listen-failed'
  | 'malformed-frame'
  | 'malformed-request'
  | 'message-too-large'
  | 'metadata-too-large'
  | 'unsupported-encoding'
  | 'caller-cancelled'
  | 'deadline-exceeded'
  | 'not-allowed'
  | 'manager-unavailable'
  | 'manager-timeout'
  | 'breaker-open'
  | 'overloaded'
  | 'draining'
  | 'internal';

const GRPC_CODE: Record<ErrorCode, number> = {
  'config-invalid': Code.FAILED_PRECONDITION,
  'listen-failed': Code.UNAVAILABLE,
  'malformed-frame': Code.INTERNAL,
  'malformed-request': Code.INTERNAL,
  'message-too-large': Code.RESOURCE_EXHAUSTED,
  'metadata-too-large': Code.RESOURCE_EXHAUSTED,
  'unsupported-encoding': Code.UNIMPLEMENTED,
  'caller-cancelled': Code.CANCELLED,
  'deadline-exceeded': Code.DEADLINE_EXCEEDED,
  'not-allowed': Code.PERMISSION_DENIED,
  // Go clients retry on UNAVAILABLE and RESOURCE_EXHAUSTED only.
  'manager-unavailable': Code.UNAVAILABLE,
  'manager-timeout': Code.UNAVAILABLE,
  'breaker-open': Code.UNAVAILABLE,
  overloaded: Code.RESOURCE_EXHAUSTED,
  draining: Code.UNAVAILABLE,
  internal: Code.UNAVAILABLE,
};

/** The one error of this project: a stable code, a text for people, the gRPC status it ends a call with, its cause. */
export class GatewayError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'GatewayError';
    this.code = code;
  }

  get status(): Status {
    return { code: GRPC_CODE[this.code], message: this.message };
  }
}

/** undefined: it is not ours. */
export function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof GatewayError ? error.code : undefined;
}

/** Anything that was thrown, as a status for the caller. What is not ours says no more than that: no stack, no path. */
export function statusOfError(error: unknown): Status {
  if (error instanceof GatewayError) return error.status;
  return { code: Code.UNAVAILABLE, message: 'manager-gateway: internal error; see its log' };
}
