/** The status codes of gRPC, by name. Source: grpc/doc/statuscodes.md. */
export const Code = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** How a call ended: `code` 0 to 16 (a stranger's number passes as it is), `message` decoded text, maybe empty. */
export type Status = { readonly code: number; readonly message: string };

export const OK_STATUS: Status = { code: Code.OK, message: '' };

const NAMES = new Map<number, string>(Object.entries(Code).map(([name, code]) => [code, name]));

/** `"NOT_FOUND"` for 5; a code outside the standard is `"UNKNOWN"`, so that labels stay a closed set. */
export function codeName(code: number): string {
  return NAMES.get(code) ?? 'UNKNOWN';
}

/** `"NOT_FOUND application not found"`, for people. */
export function statusText({ code, message }: Status): string {
  return `${codeName(code)} ${message}`.trimEnd();
}
