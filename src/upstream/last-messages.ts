import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { Http2SubchannelCall } from '@grpc/grpc-js/build/src/subchannel-call.js';

/** What is private in grpc-js (1.14), and used here. */
interface GrpcJsCall {
  readonly http2Stream: ClientHttp2Stream;
  readonly finalStatus: object | null;
  readsClosed: boolean;
  readonly unpushedReadMessages: readonly Buffer[];
  readonly isReadFilterPending: boolean;
  readonly isPushPending: boolean;
  handleTrailers(headers: IncomingHttpHeaders): void;
  endCall(status: object): void;
  maybeOutputStatus(): void;
}

/** Calls whose error has come while messages before it may still be on their way to the reader. */
const waiting = new WeakSet<GrpcJsCall>();
let applied = false;

/**
 * grpc-js drops the messages that were received and not read yet as soon as an error comes behind them: up to a
 * window of a stream that ends in one. Clients in Go and Rust get them, so they must get them through here, too.
 * It also leaves escapes such as %23 in the words of a status, which it does not expect there.
 *
 * Neither can be had from outside, so this changes grpc-js's own call. Where a newer one is built otherwise, this
 * does nothing, and the tests of streams that end in an error say so.
 */
export function keepLastMessages(): void {
  const prototype = Http2SubchannelCall.prototype as unknown as GrpcJsCall;
  const { handleTrailers, endCall, maybeOutputStatus } = prototype;
  if (applied || !handleTrailers || !endCall || !maybeOutputStatus) return;
  applied = true;

  prototype.handleTrailers = function (headers) {
    if (headers['grpc-status'] === '0') return handleTrailers.call(this, headers);
    waiting.add(this);
    // A stream that is cut off behind its trailers has no 'end', and would wait for it for ever.
    this.http2Stream.once('close', () => {
      this.readsClosed = true;
      this.maybeOutputStatus();
    });
    handleTrailers.call(this, withPlainMessage(headers));
  };
  prototype.maybeOutputStatus = function () {
    if (!waiting.has(this) || isReadToTheEnd(this)) maybeOutputStatus.call(this);
  };
  prototype.endCall = function (status) {
    const isEndedAgain = this.finalStatus !== null && waiting.delete(this);
    endCall.call(this, status);
    // A cancel or a lost connection: nobody waits for the rest. The first status stands.
    if (isEndedAgain) this.maybeOutputStatus();
  };
}

function isReadToTheEnd(call: GrpcJsCall): boolean {
  return (
    call.readsClosed &&
    call.unpushedReadMessages.length === 0 &&
    !call.isReadFilterPending &&
    !call.isPushPending
  );
}

/** Written so that `decodeURI`, with which grpc-js reads it, gives the whole text; what is no such text stays. */
function withPlainMessage(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const message = headers['grpc-message'];
  if (typeof message !== 'string' || !message.includes('%')) return headers;
  try {
    return { ...headers, 'grpc-message': encodeURI(decodeURIComponent(message)) };
  } catch {
    return headers;
  }
}
