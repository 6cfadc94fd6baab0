import type { GatewayEvent } from '../observe/events.js';
import type { Call, Reply } from '../rpc/call.js';
import type { Metadata } from '../rpc/metadata.js';
import type { ReadAnswer } from '../rpc/read.js';

/** Ends a unary call with `reply`, plus `extra` trailers. */
export async function sendReply(call: Call, reply: Reply, extra?: Metadata): Promise<void> {
  if (call.cancelled) return;
  const { headers, message, status } = reply;
  const trailers = extra === undefined ? reply.trailers : { ...reply.trailers, ...extra };
  if (message !== undefined || Object.keys(headers).length > 0) call.sendHeaders(headers);
  const taken = message && call.sendMessage(message);
  call.end(status, trailers);
  return taken;
}

/** What is told of an answer to a read when it is given. */
export function agedEvent(method: string, { askedAtMs, via }: ReadAnswer, nowMs: number): GatewayEvent {
  return { kind: 'answer-aged', method, ageMs: nowMs - askedAtMs, source: via ?? 'own' };
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
