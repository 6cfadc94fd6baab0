import type { GatewayError } from '../errors.js';
import type { Call } from '../rpc/call.js';
import { NO_METADATA } from '../rpc/metadata.js';
import { Code } from '../rpc/status.js';

/** How a stream began. A Go client sends its first message one interval after opening. */
export type Beginning =
  | { readonly kind: 'message'; readonly message: Buffer }
  /** Half-closed without one. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'gone'; readonly code: number };

/** Streams that have not said yet whose they are. */
export class Unnamed {
  readonly #waiting = new Map<Call, (code: number) => void>();

  get calls(): readonly Call[] {
    return [...this.#waiting.keys()];
  }

  /** Rejects with a GatewayError where what came is no gRPC. */
  async firstOf(call: Call): Promise<Beginning> {
    const ended = new Promise<Beginning>((resolve) => {
      this.#waiting.set(call, (code) => resolve({ kind: 'gone', code }));
    });
    try {
      return await Promise.race([ended, beginningOf(call)]);
    } finally {
      this.#waiting.delete(call);
    }
  }

  end(call: Call, error: GatewayError): void {
    const gone = this.#waiting.get(call);
    if (gone === undefined) return;
    call.end(error.status, NO_METADATA);
    gone(error.status.code);
  }
}

async function beginningOf(call: Call): Promise<Beginning> {
  try {
    const message = await call.read();
    return message === undefined ? { kind: 'ended' } : { kind: 'message', message };
  } catch (error) {
    if (!call.cancelled) throw error;
    return { kind: 'gone', code: call.departure === 'deadline' ? Code.DEADLINE_EXCEEDED : Code.CANCELLED };
  }
}
