import { statusOfError } from '../errors.js';
import type { Call } from '../rpc/call.js';
import type { Clock } from '../rpc/clock.js';
import { type Metadata, NO_METADATA } from '../rpc/metadata.js';
import { Code, type Status } from '../rpc/status.js';
import type { Channel } from './channel.js';
import type { ChannelCall } from './channel-call.js';

/**
 * Carries a whole call, whatever its shape, over `channel` and ends it; resolves with the status it ended with, rejects
 * if it could not be begun. Each side is read only as fast as the other one takes it; what goes wrong on the caller's is
 * told to `failed`.
 */
export function forward(
  call: Call,
  channel: Channel,
  clock: Clock,
  failed: (error: unknown) => void,
): Promise<Status> {
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
        // Asking for the next one only when the caller has taken this one is the back-pressure.
        call.sendMessage(message).then(() => up.requestMessage(), giveUp);
      },
      status: end,
    });
    if (call.signal.aborted) return gone();
    call.signal.addEventListener('abort', gone, { once: true });
    up.requestMessage();
    pumpRequests(call, up, () => ended).catch((error: unknown) => {
      // What the caller sent cannot be read, or it has gone. After the end it is nobody's business any more.
      if (!ended) giveUp(error);
    });
  });
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

/** Ends a call that never got to a manager. */
export function refuseCall(call: Call, error: unknown): Status {
  const status = statusOfError(error);
  call.end(status, NO_METADATA);
  return status;
}
