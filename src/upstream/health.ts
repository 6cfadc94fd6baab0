import type { Config } from '../config/config.js';
import type { AddressState } from '../observe/events.js';
import type { Clock, Timer } from '../rpc/clock.js';
import type { ChannelSlot } from './channel-slot.js';
import { type Probe, type ProbeResult, probe, probeDetail } from './probe.js';

export interface HealthOptions {
  readonly probe: Config['managers']['probe'];
  readonly clock: Clock;
  readonly random: () => number;
  slots(): readonly ChannelSlot[];
  /** Is what a probe found a sign of health? */
  answers(found: ProbeResult): boolean;
  finished(state: AddressState, latencyMs: number, detail: string): void;
  changed(from: AddressState, to: AddressState, detail: string): void;
}

/** How an address is doing, since when, and in which words. */
export interface HealthView {
  readonly state: AddressState;
  readonly sinceMs: number;
  readonly sinceWallMs: number;
  readonly latencyMs: number | undefined;
  readonly detail: string;
}

/** However much trouble the data path reports, no more than one round of probes a second. */
const SHORTEST_PAUSE_MS = 1_000;

/**
 * Asks an address again and again whether it answers. A round asks one connection, each in its turn; when that
 * one is slow or fails, the next one too, so that a broken connection is not taken for a broken manager.
 */
export class Health {
  readonly #options: HealthOptions;
  readonly #running = new Map<ChannelSlot, { probe: Probe; found: Promise<ProbeResult> }>();
  #view: HealthView;
  #turn = 0;
  #timer: Timer | undefined;
  #nextRoundMs = 0;
  #lastRoundMs = Number.NEGATIVE_INFINITY;
  #inRound = false;
  #hurry = false;
  #closed = false;

  constructor(options: HealthOptions) {
    this.#options = options;
    this.#view = this.#viewOf('unknown', undefined, 'connecting');
  }

  get view(): HealthView {
    return this.#view;
  }

  start(): void {
    void this.#round();
  }

  /** Something looks wrong, or right again: look soon instead of at the next turn. */
  bringForward(): void {
    if (this.#inRound) this.#hurry = true;
    else this.#schedule(this.#lastRoundMs + SHORTEST_PAUSE_MS - this.#options.clock.nowMs());
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const { probe: running } of this.#running.values()) running.abandon();
  }

  #schedule(delayMs: number): void {
    const atMs = this.#options.clock.nowMs() + Math.max(delayMs, 0);
    if (this.#closed || (this.#timer && this.#nextRoundMs <= atMs)) return;
    this.#timer?.cancel();
    this.#nextRoundMs = atMs;
    this.#timer = this.#options.clock.setTimer(delayMs, () => void this.#round());
  }

  async #round(): Promise<void> {
    const { clock, random } = this.#options;
    this.#timer = undefined;
    this.#inRound = true;
    this.#hurry = false;
    const startedMs = clock.nowMs();
    this.#lastRoundMs = startedMs;
    await this.#askInTurn();
    this.#inRound = false;
    if (this.#closed) return;
    const intervalMs = this.#options.probe.intervalMs * (0.9 + 0.2 * random());
    const soonMs = this.#hurry && this.#view.state === 'failed' ? SHORTEST_PAUSE_MS : intervalMs;
    // A round with silent connections lasts longer than the interval; the next one still has to wait a little.
    this.#schedule(Math.max(startedMs + soonMs - clock.nowMs(), SHORTEST_PAUSE_MS));
  }

  async #askInTurn(): Promise<void> {
    const { clock } = this.#options;
    const startedMs = clock.nowMs();
    const asked: Promise<ProbeResult>[] = [];
    for (const slot of this.#order()) {
      asked.push(this.#ask(slot));
      const good = await this.#firstGood(asked, this.#options.probe.slowMs);
      if (this.#closed) return;
      if (good) return this.#wasAnswered(good);
    }
    // Connections that were refused at once say nothing of how long the manager takes.
    const wasSilent = clock.nowMs() - startedMs >= this.#options.probe.slowMs;
    if (wasSilent && this.#view.state === 'healthy') {
      this.#set('slow', undefined, `no answer for ${this.#options.probe.slowMs} ms`);
    }
    const good = await this.#firstGood(asked, undefined);
    if (this.#closed) return;
    if (good) return this.#wasAnswered(good);
    const [first] = await Promise.all(asked);
    if (first && !this.#closed) this.#report('failed', first);
  }

  /** READY ones before others, those that answer before mute ones, another one first each time. */
  #order(): readonly ChannelSlot[] {
    const all = this.#options.slots();
    const ready = all.filter((slot) => slot.channel.state === 'ready');
    const answering = ready.filter((slot) => !slot.mute);
    const best = answering.length > 0 ? answering : ready.length > 0 ? ready : all;
    const first = this.#turn++ % Math.max(best.length, 1);
    return [...best.slice(first), ...best.slice(0, first)];
  }

  /** Probes the slot's present channel, or joins the probe that is under way there. */
  #ask(slot: ChannelSlot): Promise<ProbeResult> {
    const running = this.#running.get(slot);
    if (running) return running.found;
    const { channel } = slot;
    const bytesBefore = channel.bytesReceived;
    const askedMs = this.#options.clock.nowMs();
    const asked = probe(channel, this.#options.probe.timeoutMs, this.#options.clock);
    const found = asked.result.then((result) => {
      this.#running.delete(slot);
      const heard = channel.bytesReceived !== bytesBefore;
      if (slot.channel === channel) this.#judge(slot, result, askedMs, heard);
      return result;
    });
    this.#running.set(slot, { probe: asked, found });
    return found;
  }

  #judge(slot: ChannelSlot, result: ProbeResult, askedMs: number, heard: boolean): void {
    if (this.#options.answers(result)) slot.markAlive(askedMs);
    // A connection over which other answers came is in order; then it is the manager that does not answer.
    else if (result.kind === 'silent' && slot.channel.state === 'ready' && !heard) slot.markMute(askedMs);
  }

  /** The first sign of health, undefined when all have failed or `patienceMs` is over. */
  async #firstGood(asked: readonly Promise<ProbeResult>[], patienceMs: number | undefined) {
    const goods = asked.map(async (result) => {
      const found = await result;
      if (!this.#options.answers(found)) throw new Error(probeDetail(found));
      return found;
    });
    const none = () => undefined;
    const first = Promise.any(goods).catch(none); // rejected: every one was bad, which is what `undefined` says
    if (patienceMs === undefined) return first;
    let timer: Timer | undefined;
    const tooLong = new Promise<undefined>((resolve) => {
      timer = this.#options.clock.setTimer(patienceMs, () => resolve(undefined));
    });
    const good = await Promise.race([first, tooLong]);
    timer?.cancel();
    return good;
  }

  #wasAnswered(found: ProbeResult): void {
    const latencyMs = latencyOf(found) ?? 0;
    this.#report(latencyMs > this.#options.probe.slowMs ? 'slow' : 'healthy', found);
    // The manager is there: connections that were thought mute may have been waiting for it.
    for (const slot of this.#options.slots()) if (slot.mute) void this.#ask(slot);
  }

  #report(state: AddressState, found: ProbeResult): void {
    const detail = probeDetail(found);
    this.#set(state, latencyOf(found), detail);
    this.#options.finished(state, latencyOf(found) ?? 0, detail);
  }

  #set(state: AddressState, latencyMs: number | undefined, detail: string): void {
    const from = this.#view.state;
    if (from === state) this.#view = { ...this.#view, latencyMs, detail };
    else this.#view = this.#viewOf(state, latencyMs, detail);
    if (from !== state) this.#options.changed(from, state, detail);
  }

  #viewOf(state: AddressState, latencyMs: number | undefined, detail: string): HealthView {
    const { clock } = this.#options;
    return { state, sinceMs: clock.nowMs(), sinceWallMs: clock.wallMs(), latencyMs, detail };
  }
}

function latencyOf(found: ProbeResult): number | undefined {
  return found.kind === 'abandoned' ? undefined : found.latencyMs;
}
