import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { Http2SubchannelCall } from '@grpc/grpc-js/build/src/subchannel-call.js';

/** What is private in grpc-js (1.14), and used here. */
interface GrpcJsCall {
  readonly http2Stream: ClientHttp2Stream;
  finalStatus: { readonly code: number } | null;
  readsClosed: boolean;
  handleTrailers(headers: IncomingHttpHeaders): void;
  maybeOutputStatus(): void;
  outputStatus(): void;
}

/** The codes of calls that grpc-js takes for OK until their last message has been read. */
const errorCodes = new WeakMap<GrpcJsCall, number>();
let applied = false;

/**
 * grpc-js drops the messages that were received and not read yet as soon as an error comes behind them: up to a
 * window of a stream that ends in one. Clients in Go and Rust get them, so they must get them through here, too.
 * Messages before an OK it keeps, so it is told OK, and the error only when it passes the status on.
 * It also leaves escapes such as %23 in the words of a status, which it does not expect there.
 *
 * Neither can be had from outside, so this changes grpc-js's own call. Where a newer one is built otherwise, this
 * does nothing, and the tests of streams that end in an error say so.
 */
export function keepLastMessages(): void {
  const prototype = Http2SubchannelCall.prototype as unknown as GrpcJsCall;
  const { handleTrailers, outputStatus } = prototype;
  if (applied || !handleTrailers || !outputStatus) return;
  applied = true;

  prototype.handleTrailers = function (headers) {
    const code = Number(headers['grpc-status']);
    if (!(code > 0)) return handleTrailers.call(this, headers);
    errorCodes.set(this, code);
    // A stream that is cut off behind its trailers has no 'end', and the status would wait for it for ever.
    this.http2Stream.once('close', () => {
      this.readsClosed = true;
      this.maybeOutputStatus();
    });
    handleTrailers.call(this, { ...headers, ...plainMessage(headers['grpc-message']), 'grpc-status': '0' });
  };
  prototype.outputStatus = function () {
    const code = errorCodes.get(this);
    // Not 0: it was cancelled, or the connection was lost, before the last message had been read.
    if (code !== undefined && this.finalStatus?.code === 0) this.finalStatus = { ...this.finalStatus, code };
    outputStatus.call(this);
  };
}

/** Written so that `decodeURI`, with which grpc-js reads it, gives the whole text; what is no such text stays. */
function plainMessage(message: string | string[] | undefined): IncomingHttpHeaders {
  if (typeof message !== 'string' || !message.includes('%')) return {};
  try {
    return { 'grpc-message': encodeURI(decodeURIComponent(message)) };
  } catch {
    return {};
  }
}
