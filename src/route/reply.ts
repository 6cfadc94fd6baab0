import type { Call, Reply } from '../rpc/call.js';
import type { Metadata } from '../rpc/metadata.js';
import type { ReadAnswer } from '../rpc/read.js';

/** Ends a unary call with `reply`, plus `extra` trailers. */
export async function sendReply(call: Call, reply: Reply, extra?: Metadata): Promise<void> {
  if (call.cancelled) return;
  if (reply.message !== undefined) {
    call.sendHeaders(reply.headers);
    const taken = call.sendMessage(reply.message);
    call.end(reply.status, extra === undefined ? reply.trailers : { ...reply.trailers, ...extra });
    return taken;
  }
  if (Object.keys(reply.headers).length > 0) call.sendHeaders(reply.headers);
  call.end(reply.status, extra === undefined ? reply.trailers : { ...reply.trailers, ...extra });
}

/** The trailers that say where an answer came from; the only thing the gateway adds. Age in ms since the manager was asked. */
export function provenance(answer: ReadAnswer, nowMs: number): Metadata {
  const trailers: Record<string, string> = {
    'x-dfmgw-cache': answer.source,
    'x-dfmgw-age-ms': String(Math.max(0, Math.round(nowMs - answer.askedAtMs))),
  };
  const via = answer.via ?? (answer.coalesced ? 'coalesced' : undefined);
  if (via !== undefined) trailers['x-dfmgw-via'] = via;
  return trailers;
}
