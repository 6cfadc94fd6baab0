import type { Config } from '../config/config.js';
import type { AddressState, ChannelCloseReason, ChannelCreateReason } from '../observe/events.js';
import { askLine } from './ask-line.js';
import type { AttemptContext } from './attempt.js';
import { type Channel, type ChannelTarget, LONGEST_RECONNECT_MS } from './channel.js';
import type { ChannelLine } from './channel-line.js';
import { ChannelSlot } from './channel-slot.js';
import { Health, type HealthView } from './health.js';
import { InFlight, type Patience } from './in-flight.js';
import type { ProbeResult } from './probe.js';
import type { AddressStatus } from './upstream.js';

/** What every address of every manager has in common. */
export interface AddressContext extends AttemptContext {
  readonly managers: Config['managers'];
  readonly random: () => number;
  /** A line of some address has become good. */
  readonly lineBecameGood: () => void;
  /** A line of some address has answered a probe. */
  readonly lineAnswered: () => void;
}

/** Lower is better. An address without a chance to connect is as good as failed, before a probe has said so. */
const RANK = { healthy: 0, unknown: 1, slow: 2, failed: 3 } as const;

/** One resolved address of a manager: its channels, how it is doing, and how much it is asked. */
export class Address {
  readonly target: ChannelTarget;
  /** Position in `managers.addrs`. */
  readonly manager: string;
  readonly inFlight: InFlight;
  readonly #context: AddressContext;
  readonly #slots: readonly ChannelSlot[];
  readonly #health: Health;
  readonly #waiting = new Set<() => void>();
  #turn = 0;
  #closed = false;

  constructor(
    context: AddressContext,
    manager: string,
    target: ChannelTarget,
    reason: ChannelCreateReason,
    probed: (state: AddressState) => void,
  ) {
    const { managers, clock, emit } = context;
    this.#context = context;
    this.target = target;
    this.manager = manager;
    this.inFlight = new InFlight(managers, target.manager, clock);
    this.#health = new Health({
      probe: managers.probe,
      clock,
      random: context.random,
      slots: () => this.#slots,
      answers: (found) => this.#isHealth(found),
      finished: (state, latencyMs, detail) => {
        emit({ kind: 'probe-finished', manager, address: this.text, state, latencyMs, detail });
        probed(state);
      },
      changed: (from, to, detail) =>
        emit({ kind: 'address-state-changed', manager, address: this.text, from, to, detail }),
    });
    this.#slots = Array.from({ length: managers.channelsPerAddr }, () => this.#openSlot(reason));
  }

  start(): void {
    this.#health.start();
  }

  /** `ip:port`. */
  get text(): string {
    const { ip, port } = this.target;
    return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
  }

  get health(): HealthView {
    return this.#health.view;
  }

  get rank(): number {
    return this.#slots.every(({ channel }) => channel.state === 'down')
      ? RANK.failed
      : RANK[this.health.state];
  }

  get ready(): boolean {
    return this.#slots.some(({ channel }) => channel.state === 'ready');
  }

  /** READY and not mute ones in turn; else the best there is. */
  channel(): Channel {
    const channels = this.#slots.filter(({ channel, mute }) => channel.state === 'ready' && !mute);
    const ready = this.#slots.filter(({ channel }) => channel.state === 'ready');
    const connecting = this.#slots.filter(({ channel }) => channel.state === 'connecting');
    const best = [channels, ready, connecting, this.#slots].find(({ length }) => length > 0);
    const slot = best?.[this.#turn++ % best.length];
    if (!slot) throw new Error('an address has at least one channel');
    return slot.channel;
  }

  /** Of channels that are READY, at most one each. */
  get lines(): readonly ChannelLine[] {
    return this.#slots.flatMap(({ line }) => line ?? []);
  }

  get goodLines(): readonly ChannelLine[] {
    return this.lines.filter(({ state }) => state === 'good');
  }

  /** Resolves when a channel is READY, when grpc-js must have dialled once more, or when the patience ends. */
  whenReady({ deadlineMs, signal }: Patience): Promise<void> {
    if (this.ready) return Promise.resolve();
    const { clock } = this.#context;
    const limitMs = Math.min(LONGEST_RECONNECT_MS, (deadlineMs ?? Number.POSITIVE_INFINITY) - clock.nowMs());
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', end);
        this.#waiting.delete(end);
        resolve();
      };
      const timer = clock.setTimer(limitMs, end);
      signal?.addEventListener('abort', end, { once: true });
      this.#waiting.add(end);
    });
  }

  /** The data path got no answer: a probe finds out what that means. */
  reportTrouble(): void {
    this.#health.bringForward();
  }

  /** The data path got an answer. */
  reportAnswer(): void {
    if (this.health.state === 'failed') this.#health.bringForward();
  }

  get status(): AddressStatus {
    const { state, sinceMs, latencyMs, detail } = this.health;
    const readyChannels = this.#slots.filter(
      ({ channel, mute }) => channel.state === 'ready' && !mute,
    ).length;
    return {
      manager: this.manager,
      address: this.text,
      state,
      sinceMs,
      latencyMs,
      detail,
      channels: this.#slots.length,
      readyChannels,
      inFlight: this.inFlight.count,
    };
  }

  /** No new calls; who waits for a place goes elsewhere. Resolves when calls and connections have ended. */
  async close(reason: ChannelCloseReason): Promise<void> {
    this.#closed = true;
    this.#health.close();
    for (const end of [...this.#waiting]) end();
    this.inFlight.dismiss();
    await Promise.all(this.#slots.map((slot) => slot.close(reason)));
  }

  /** After `close`: cancels the calls in flight. */
  destroy(): void {
    for (const slot of this.#slots) slot.destroy();
  }

  get closed(): boolean {
    return this.#closed;
  }

  #openSlot(reason: ChannelCreateReason): ChannelSlot {
    const { managers, clock, emit } = this.#context;
    const { manager, text: address } = this;
    return new ChannelSlot(
      {
        target: this.target,
        connectTimeoutMs: managers.connectTimeoutMs,
        probeTimeoutMs: managers.probe.timeoutMs,
        clock,
        line: {
          manager,
          address,
          name: this.target.manager,
          ask: (line, request) => askLine(this.#context, this, line, request, managers.probe.timeoutMs),
          becameGood: this.#context.lineBecameGood,
        },
        answers: (found) => this.#isHealth(found),
        answered: this.#context.lineAnswered,
        changed: () => this.#channelChanged(),
        created: (why) => emit({ kind: 'channel-created', manager, address, reason: why }),
        closed: (why) => emit({ kind: 'channel-closed', manager, address, reason: why }),
      },
      reason,
    );
  }

  #channelChanged(): void {
    if (this.ready || this.#closed) for (const end of [...this.#waiting]) end();
    if (this.#closed) return;
    const failed = this.health.state === 'failed';
    if (failed ? this.ready : this.rank === RANK.failed) this.#health.bringForward();
  }

  /** A manager that says "too much" is alive; passing it over would only push the load to the next one. */
  #isHealth(found: ProbeResult): boolean {
    if (found.kind !== 'answered') return false;
    const errorClass = this.#context.classify(found.status);
    return errorClass === undefined || errorClass === 'backpressure';
  }
}
