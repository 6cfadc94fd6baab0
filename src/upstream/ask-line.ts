import { GatewayError } from '../errors.js';
import type { Answer } from '../rpc/answer.js';
import type { UnaryRequest } from '../rpc/call.js';
import { NO_METADATA } from '../rpc/metadata.js';
import type { Address } from './address.js';
import { type AttemptContext, attempt, enter } from './attempt.js';
import type { ChannelLine } from './channel-line.js';
import { lostBeforeSent } from './local-status.js';
import { timedOut } from './unary.js';

/** One question over one line; it waits for its place at the address as others do, but `limitMs` at the most for everything. */
export async function askLine(
  context: AttemptContext,
  address: Address,
  line: ChannelLine,
  request: UnaryRequest,
  limitMs: number,
): Promise<Answer> {
  const nowMs = context.clock.nowMs();
  const deadlineMs = Math.min(request.deadlineMs ?? Number.POSITIVE_INFINITY, nowMs + limitMs);
  if (request.signal?.aborted) throw new GatewayError('caller-cancelled', 'the caller has gone');
  if (deadlineMs <= nowMs) throw timedOut(address.target.manager, 0);
  // Asked all the same, it would look like trouble of the whole address.
  if (line.state === 'leaving' || line.state === 'gone') return lost(context, address);
  const bounded = { ...request, deadlineMs };
  const turn = await enter(context, address, bounded);
  if (turn === 'gone') return lost(context, address);
  try {
    return await attempt(context, address, line, bounded);
  } finally {
    address.inFlight.leave();
  }
}

function lost({ clock }: AttemptContext, { manager, target }: Address): Answer {
  const status = lostBeforeSent(target.manager);
  const reply = { headers: NO_METADATA, message: undefined, status, trailers: NO_METADATA };
  return { reply, askedAtMs: clock.nowMs(), answeredAtMs: clock.nowMs(), manager };
}
