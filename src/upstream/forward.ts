import { GatewayError, statusOfError } from '../errors.js';
import type { Call } from '../rpc/call.js';
import type { Clock } from '../rpc/clock.js';
import { type Metadata, NO_METADATA } from '../rpc/metadata.js';
import { Code, type Status } from '../rpc/status.js';
import type { AnswersUnderWay } from './answers-under-way.js';
import type { Channel } from './channel.js';
import type { ChannelCall } from './channel-call.js';

/**
 * Carries a whole call, whatever its shape, over `channel` and ends it; resolves with the status it ended with, rejects
 * if it could not be begun. Each side is read only as fast as the other one takes it; what goes wrong on the caller's is
 * told to `failed`. `answered`: the size of the first answer is known.
 */
export function forward(
  call: Call,
  channel: Channel,
  { answers, clock, failed, answered }: ForwardOptions,
): Promise<Status> {
  // While it waited: a manager would have its stream, and its reset, for nothing.
  if (call.signal.aborted) return Promise.resolve(endGone(call, clock));
  return new Promise((resolve) => {
    let ended = false;
    const end = (status: Status, trailers: Metadata) => {
      ended = true;
      call.signal.removeEventListener('abort', gone);
      call.end(status, trailers);
      resolve(status);
    };
    const gone = () => up.cancel(goneStatus(call, clock));
    const giveUp = (error: unknown) => {
      failed(error);
      up.cancel(statusOfError(error));
    };

    const up = channel.call(call.path, call.metadata, call.deadlineMs, {
      headers: (metadata) => call.sendHeaders(metadata),
      message: (message) => {
        answered();
        const taken = answers.hold(call.path, message.length);
        if (taken instanceof GatewayError) return giveUp(taken);
        // Asking for the next one only when the caller has taken this one is the back-pressure.
        call
          .sendMessage(message)
          .finally(taken)
          .then(() => up.requestMessage(), giveUp);
      },
      status: end,
    });
    call.signal.addEventListener('abort', gone, { once: true });
    up.requestMessage();
    pumpRequests(call, up, () => ended).catch((error: unknown) => {
      // What the caller sent cannot be read, or it has gone. After the end it is nobody's business any more.
      if (!ended) giveUp(error);
    });
  });
}

export interface ForwardOptions {
  readonly answers: AnswersUnderWay;
  readonly clock: Clock;
  readonly failed: (error: unknown) => void;
  readonly answered: () => void;
}

/** The caller's messages, then its half-close, in order; stops when the manager has ended the call. */
async function pumpRequests(call: Call, up: ChannelCall, ended: () => boolean): Promise<void> {
  for (;;) {
    const message = await call.read();
    if (ended()) return;
    if (message === undefined) return up.halfClose();
    await up.send(message);
    if (ended()) return;
  }
}

/** For the record only: there is nobody left to read it. */
function goneStatus(call: Call, clock: Clock): Status {
  const late = call.deadlineMs !== undefined && clock.nowMs() >= call.deadlineMs;
  return late
    ? { code: Code.DEADLINE_EXCEEDED, message: 'the deadline of the call has passed' }
    : { code: Code.CANCELLED, message: 'the caller has gone' };
}

function endGone(call: Call, clock: Clock): Status {
  const status = goneStatus(call, clock);
  call.end(status, NO_METADATA);
  return status;
}

/** Ends a call that never got to a manager. */
export function refuseCall(call: Call, error: unknown): Status {
  const status = statusOfError(error);
  call.end(status, NO_METADATA);
  return status;
}
