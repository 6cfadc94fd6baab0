import type { Call, Reply } from '../rpc/call.js';
import { type Metadata, NO_METADATA } from '../rpc/metadata.js';
import type { Status } from '../rpc/status.js';
import { delegate } from './one-message.js';

/**
 * `call`, with what the manager answers told to `onReply` once it has ended: for `observe`, which changes nothing
 * and remembers what it saw. A call that got more than one message, or none with OK, is not told of.
 */
export function tapped(call: Call, onReply: (reply: Reply) => void): Call {
  let headers: Metadata = NO_METADATA;
  const messages: Buffer[] = [];
  return delegate(call, {
    sendHeaders(metadata) {
      headers = metadata;
      call.sendHeaders(metadata);
    },
    sendMessage(message) {
      if (messages.length < 2) messages.push(message);
      return call.sendMessage(message);
    },
    end(status: Status, trailers: Metadata) {
      call.end(status, trailers);
      if (messages.length < 2) onReply({ headers, message: messages[0], status, trailers });
    },
  });
}
