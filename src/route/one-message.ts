import type { Call } from '../rpc/call.js';

/** What a call of a known unary method sent: one message, as it should, or anything else. */
export type Collected =
  | { readonly kind: 'one'; readonly message: Buffer }
  | { readonly kind: 'other'; readonly messages: readonly Buffer[]; readonly ended: boolean };

/** Reads a unary request to its end. A second message ends the reading: whatever it is, it is not ours to judge. */
export async function collectOne(call: Call): Promise<Collected> {
  const first = await call.read();
  if (first === undefined) return { kind: 'other', messages: [], ended: true };
  const second = await call.read();
  if (second === undefined) return { kind: 'one', message: first };
  return { kind: 'other', messages: [first, second], ended: false };
}

/** The call as it was before its first messages were read. */
export function unread(call: Call, messages: readonly Buffer[], ended: boolean): Call {
  const waiting = [...messages];
  return delegate(call, {
    read: () => {
      const next = waiting.shift();
      if (next !== undefined) return Promise.resolve(next);
      return ended ? Promise.resolve(undefined) : call.read();
    },
  });
}

/** `call` with some of its members replaced. */
export function delegate(
  call: Call,
  replaced: Partial<Pick<Call, 'metadata' | 'signal' | 'read' | 'sendHeaders' | 'sendMessage' | 'end'>>,
): Call {
  return {
    path: call.path,
    metadata: replaced.metadata ?? call.metadata,
    deadlineMs: call.deadlineMs,
    get signal() {
      return replaced.signal ?? call.signal;
    },
    get cancelled() {
      return call.cancelled;
    },
    get departure() {
      return call.departure;
    },
    ...(call.mayAsk !== undefined && { mayAsk: call.mayAsk }),
    ...(call.askInTurn !== undefined && { askInTurn: (ask) => call.askInTurn?.(ask) ?? ask() }),
    client: call.client,
    read: replaced.read ?? (() => call.read()),
    sendHeaders: replaced.sendHeaders ?? ((metadata) => call.sendHeaders(metadata)),
    sendMessage: replaced.sendMessage ?? ((message) => call.sendMessage(message)),
    end: replaced.end ?? ((status, trailers) => call.end(status, trailers)),
  };
}
