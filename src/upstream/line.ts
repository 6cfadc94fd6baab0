import type { Answer } from '../rpc/answer.js';
import type { UnaryRequest } from '../rpc/call.js';
import type { Metadata } from '../rpc/metadata.js';
import type { ChannelCall, ChannelCallListener } from './channel-call.js';

/**
 * `good`: READY and not mute. `mute`: READY, but a probe over it got no answer. `leaving`: still there, but not for new calls
 * (GOAWAY, its channel replaced or its address retired): move away politely. `gone`: the connection is lost; final.
 */
export type LineState = 'good' | 'mute' | 'leaving' | 'gone';

/** What can be done with a call on a line; see `ChannelCall`. */
export type LineCall = Pick<ChannelCall, 'send' | 'halfClose' | 'requestMessage' | 'cancel'>;

/** One connection to one manager process, from READY to its loss: to hold a stream on, and to ask about it. */
export interface Line {
  /** Position in `managers.addrs`. */
  readonly manager: string;
  /** `ip:port`. */
  readonly address: string;
  readonly state: LineState;
  /** Tells of every change of state, once; a call on a line that breaks may end before it or after. Returns the way to stop. */
  watch(changed: () => void): () => void;
  /**
   * A call of any shape, without a deadline, on this very connection. On a line that is leaving or gone, and when the connection
   * goes before the call is on it, it ends UNAVAILABLE; never is it carried by another connection.
   */
  open(path: string, metadata: Metadata, listener: ChannelCallListener): LineCall;
  /**
   * One question over this very connection; counts among the address's calls in flight. Settles as `Upstream.unary` does, but
   * waits no longer than a probe would. `waitForReady` has no meaning here.
   */
  unary(request: UnaryRequest): Promise<Answer>;
  /**
   * Tears the connection down, because its peer does not even answer a half-close: the manager sees it broken, all calls on it
   * end UNAVAILABLE, and the channel dials again. It is `gone` at once, watchers hear of it a moment later. Twice is once.
   */
  giveUp(): void;
}
