import type { WarmupRequest } from '../config/warmup-request.js';
import { encodeRequest } from '../route/proto.js';

/** A question of the configuration as it goes over the wire. */
export interface EncodedRequest {
  readonly path: string;
  readonly message: Buffer;
}

/** Throws `internal` only for what the configuration's checks would have refused. */
export function encodeWarmupRequest({ method, version, request }: WarmupRequest): EncodedRequest {
  const path = `/manager.${version === 'v2' ? 'v2.' : ''}Manager/${method}`;
  return { path, message: encodeRequest(path, request) };
}
