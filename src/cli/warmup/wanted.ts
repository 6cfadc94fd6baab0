import type { WarmupRequest } from '../../config/warmup-request.js';
import { METHOD_TABLE } from '../../route/method-table.js';
import { decodeRequest } from '../../route/proto.js';
import { type EncodedRequest, encodeWarmupRequest } from '../../warmup/requests.js';

/** One question to be warmed up. */
export interface Wanted extends EncodedRequest {
  /** For people. */
  readonly name: string;
  /** For machines. */
  readonly told: Readonly<Record<string, unknown>>;
}

/** What the configuration asks for. */
export function configured(requests: readonly WarmupRequest[]): Wanted[] {
  return requests.map((request, index) => ({
    ...encodeWarmupRequest(request),
    name: `warmup.requests[${index}] ${request.method} ${request.version}`,
    told: { ...request },
  }));
}

/** What callers ask for, without what is asked for already. */
export function learned(requests: readonly EncodedRequest[], already: readonly EncodedRequest[]): Wanted[] {
  const idOf = ({ path, message }: EncodedRequest): string => `${path} ${message.toString('base64')}`;
  const known = new Set(already.map(idOf));
  return requests
    .filter((request) => !known.has(idOf(request)))
    .map(({ path, message }, index) => {
      const { method, version } = named(path);
      const told = { method, version, learned: true, request: decodeRequest(path, message) };
      return { path, message, name: `learned[${index}] ${method} ${version}`, told };
    });
}

function named(path: string): { readonly method: string; readonly version: string } {
  const route = METHOD_TABLE.get(path);
  return { method: route?.method ?? path, version: route?.kind === 'read' ? route.version : '' };
}
