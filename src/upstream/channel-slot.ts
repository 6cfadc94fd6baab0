import type { ChannelCloseReason, ChannelCreateReason } from '../observe/events.js';
import type { Clock } from '../rpc/clock.js';
import { Channel, type ChannelTarget } from './channel.js';
import { ChannelLine, type ChannelLineOptions } from './channel-line.js';
import { type Probe, probe } from './probe.js';
import { Replacement } from './replacement.js';

export interface ChannelSlotOptions {
  readonly target: ChannelTarget;
  readonly connectTimeoutMs: number;
  readonly probeTimeoutMs: number;
  readonly clock: Clock;
  readonly line: ChannelLineOptions;
  /** Is what a probe found a sign of health? */
  answers(found: Awaited<Probe['result']>): boolean;
  /** A probe over the channel in use was. */
  answered(): void;
  /** The channel's state, or the channel itself, is another one. */
  changed(): void;
  created(reason: ChannelCreateReason): void;
  closed(reason: ChannelCloseReason): void;
}

/** One of the `channelsPerAddr` places of an address: always one channel in use, and those it has replaced until they end. */
export class ChannelSlot {
  readonly #options: ChannelSlotOptions;
  readonly #replacement: Replacement;
  readonly #retiring = new Map<Channel, Promise<void>>();
  #channel: Channel;
  #mute = false;
  #line: ChannelLine | undefined;
  /** When the present candidate was asked, or the one before it. */
  #candidateAskedMs = Number.NEGATIVE_INFINITY;

  constructor(options: ChannelSlotOptions, reason: ChannelCreateReason) {
    this.#options = options;
    this.#channel = this.#open(reason);
    this.#replacement = new Replacement({
      clock: options.clock,
      open: () => this.#open('unresponsive'),
      answers: (candidate) => this.#candidateAnswers(candidate),
      adopt: (candidate) => this.#adopt(candidate, 'unresponsive'),
      discard: (candidate) => this.#retire(candidate, 'unresponsive'),
    });
  }

  get channel(): Channel {
    return this.#channel;
  }

  /** READY as far as TCP knows, but a probe over it got no answer: for use only when there is nothing better. */
  get mute(): boolean {
    return this.#mute;
  }

  /** Over the channel in use, while it is READY. */
  get line(): ChannelLine | undefined {
    return this.#line;
  }

  /** A probe over its channel, sent at `askedMs`, was not answered. */
  markMute(askedMs: number): void {
    this.#mute = true;
    this.#line?.fellSilent(askedMs);
    this.#replacement.start();
  }

  /** A probe over its channel, sent at `askedMs`, was answered. */
  markAlive(askedMs: number): void {
    this.#forgetMute();
    this.#line?.answered(askedMs);
    this.#options.answered();
  }

  /** No new calls; resolves when the last call and the last connection have gone. */
  async close(reason: ChannelCloseReason): Promise<void> {
    this.#replacement.stop();
    this.#line = undefined;
    this.#retire(this.#channel, reason);
    await Promise.all(this.#retiring.values());
  }

  /** After `close`: does not wait for the calls. */
  destroy(): void {
    for (const channel of this.#retiring.keys()) void channel.destroy();
  }

  #open(reason: ChannelCreateReason): Channel {
    const { target, connectTimeoutMs, clock } = this.#options;
    const channel = new Channel(target, connectTimeoutMs, clock, {
      stateChanged: () => this.#stateChanged(channel),
      connectTimedOut: () => this.#connectTimedOut(channel),
    });
    this.#options.created(reason);
    return channel;
  }

  #adopt(channel: Channel, reason: ChannelCloseReason): void {
    const old = this.#channel;
    this.#channel = channel;
    this.#mute = false;
    this.#renewLine(reason === 'unresponsive' ? this.#candidateAskedMs : undefined);
    this.#retire(old, reason);
    this.#options.changed();
  }

  #retire(channel: Channel, reason: ChannelCloseReason): void {
    if (this.#retiring.has(channel)) return;
    const closed = channel.close().then(() => {
      this.#retiring.delete(channel);
      this.#options.closed(reason);
    });
    this.#retiring.set(channel, closed);
  }

  #stateChanged(channel: Channel): void {
    if (channel !== this.#channel) return;
    // A connection that broke is not mute any more; its successor starts with a clean slate.
    if (channel.state !== 'ready') this.#forgetMute();
    this.#renewLine();
    this.#options.changed();
  }

  /** `answeredFromMs`: when it was asked what it has answered already. */
  #renewLine(answeredFromMs?: number): void {
    const { connection } = this.#channel;
    this.#line = connection && new ChannelLine(this.#options.line, this.#channel, connection);
    if (answeredFromMs !== undefined) this.#line?.answered(answeredFromMs);
    if (this.#line?.state === 'good') this.#options.line.becameGood();
  }

  #connectTimedOut(channel: Channel): void {
    // A candidate that cannot connect is given up by its probe.
    if (channel !== this.#channel) return;
    this.#adopt(this.#open('connect-timeout'), 'connect-timeout');
  }

  #forgetMute(): void {
    if (!this.#mute) return;
    this.#mute = false;
    this.#replacement.stop();
  }

  async #candidateAnswers(candidate: Channel): Promise<boolean> {
    const { connectTimeoutMs, probeTimeoutMs, clock } = this.#options;
    this.#candidateAskedMs = clock.nowMs();
    const asked = probe(candidate, probeTimeoutMs, clock);
    const connecting = clock.setTimer(connectTimeoutMs, () => {
      if (candidate.state !== 'ready') asked.abandon();
    });
    const found = await asked.result;
    connecting.cancel();
    return this.#options.answers(found);
  }
}
