import { GatewayError } from '../errors.js';
import type { UnaryRequest } from '../rpc/call.js';
import type { Clock, Timer } from '../rpc/clock.js';
import { laidOut } from '../rpc/framed.js';
import { type Metadata, NO_METADATA } from '../rpc/metadata.js';
import { Code, type Status } from '../rpc/status.js';
import type { Address } from './address.js';
import type { ChannelCallListener } from './channel-call.js';
import type { LineCall } from './line.js';
import type { Answer } from './upstream.js';

/** The status with which an abandoned call ends at the manager; nobody sees it here. */
const GIVEN_UP: Status = { code: Code.CANCELLED, message: 'given up' };

/** What a call travels over: a channel, or one connection of it. */
export interface Carrier {
  call(
    path: string,
    metadata: Metadata,
    deadlineMs: number | undefined,
    listener: ChannelCallListener,
  ): LineCall;
}

/**
 * One attempt at one address, over one of its channels. Resolves with what the manager, or the connection, said; rejects `manager-timeout` at
 * the request's deadline and `caller-cancelled` when its signal is aborted, the manager's call cancelled.
 */
export function unary(
  address: Address,
  carrier: Carrier,
  request: UnaryRequest,
  clock: Clock,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const askedAtMs = clock.nowMs();
    const { deadlineMs, signal } = request;
    let headers: Metadata = NO_METADATA;
    let message: Buffer | undefined;
    let timer: Timer | undefined;

    const done = () => {
      timer?.cancel();
      signal?.removeEventListener('abort', cancelled);
    };
    const finish = (status: Status, trailers: Metadata) => {
      done();
      const reply = { headers, message: message && laidOut(message), status, trailers };
      resolve({ reply, askedAtMs, answeredAtMs: clock.nowMs(), manager: address.manager });
    };
    const refuse = (error: GatewayError) => {
      done();
      reject(error);
      call.cancel(GIVEN_UP);
    };
    const cancelled = () => refuse(new GatewayError('caller-cancelled', 'the caller has gone'));

    const call = carrier.call(request.path, request.metadata, deadlineMs, {
      headers: (received) => {
        headers = received;
      },
      message: (received) => {
        if (message !== undefined) {
          message = undefined;
          return call.cancel(twoMessages(address.target.manager));
        }
        message = received;
        call.requestMessage(); // without asking for more, OK would not arrive
      },
      status: finish,
    });
    if (deadlineMs !== undefined) {
      const late = () => refuse(timedOut(address.target.manager, deadlineMs - askedAtMs));
      timer = clock.setTimer(deadlineMs - askedAtMs, late);
    }
    if (signal?.aborted) return cancelled();
    signal?.addEventListener('abort', cancelled, { once: true });
    call.requestMessage();
    void call.send(request.message);
    call.halfClose();
  });
}

export function timedOut(manager: string, waitedMs: number): GatewayError {
  return new GatewayError(
    'manager-timeout',
    `manager-gateway: manager ${manager} did not answer within ${Math.round(waitedMs)} ms`,
  );
}

function twoMessages(manager: string): Status {
  return {
    code: Code.INTERNAL,
    message: `manager-gateway: manager ${manager}: more than one message in answer to a unary call`,
  };
}
