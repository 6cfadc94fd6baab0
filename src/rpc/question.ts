import type { Method } from '../config/methods.js';

export type ApiVersion = 'v1' | 'v2';

/** A read, understood: what it asks, under which key its answer is remembered, and what a write must touch to expire it. */
export interface Question {
  readonly path: string;
  readonly method: Method;
  readonly version: ApiVersion;
  /** SHA-256 of `parts`, base64url. Two questions share a key only if the manager must answer them alike. */
  readonly key: string;
  /** What was hashed, readable: schema, fleet, version, method, then the fields the answer depends on. */
  readonly parts: readonly string[];
  readonly tags: readonly string[];
  /** `own`: the answer belongs to this caller alone, and is kept for `exactTtl`. */
  readonly audience: 'own' | 'common';
  /** Holds credentials: never leaves the memory of the process. */
  readonly secret: boolean;
}
