import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/config.js';
import { GatewayError } from '../errors.js';
import type { Timer } from '../rpc/clock.js';
import type { Address, AddressContext } from './address.js';
import type { ChannelLine } from './channel-line.js';
import type { Patience } from './in-flight.js';
import type { Line } from './line.js';
import { Manager } from './manager.js';
import type { Resolver } from './resolver.js';
import { describeTrouble } from './trouble.js';
import type { AddressStatus } from './upstream.js';

/** How much worse a line is that is not wanted: any other is better, slow ones too, but none of a failed address. */
const UNWANTED = 2.5;

/** All addresses of all managers, and which of them is asked next. */
export class Pool {
  readonly #context: AddressContext;
  readonly #resolver: Resolver;
  readonly #leaving = new Set<Manager>();
  #managers: readonly Manager[];
  readonly #waiting = new Set<() => void>();
  readonly #lineWatchers = new Set<() => void>();
  #turn = 0;
  #lineTurn = 0;
  #closed = false;

  constructor(
    options: Omit<AddressContext, 'lineBecameGood' | 'lineAnswered'>,
    addrs: Config['managers']['addrs'],
    resolver: Resolver,
  ) {
    const context = {
      ...options,
      lineBecameGood: () => this.#tellLineWatchers(),
      lineAnswered: () => this.#lineAnswered(),
    };
    this.#context = context;
    this.#resolver = resolver;
    this.#managers = addrs.map((config, index) => this.#open(config, index));
  }

  start(): void {
    for (const manager of this.#managers) manager.start();
  }

  /** An entry that stands where it stood stays; others are let finish what they do, and go. */
  setAddresses(addrs: Config['managers']['addrs']): void {
    if (this.#closed) return;
    const before = this.#managers;
    this.#managers = addrs.map((config, index) => {
      const present = before[index];
      return present !== undefined && isDeepStrictEqual(present.config, config)
        ? present
        : this.#open(config, index);
    });
    for (const manager of this.#managers) if (!before.includes(manager)) manager.start();
    for (const manager of before) if (!this.#managers.includes(manager)) this.#retire(manager);
  }

  #open(config: Config['managers']['addrs'][number], index: number): Manager {
    return new Manager(this.#context, String(index), config, this.#resolver, () => this.#wake());
  }

  #retire(manager: Manager): void {
    this.#leaving.add(manager);
    void manager.close('address-changed').then(() => this.#leaving.delete(manager));
  }

  get addresses(): readonly Address[] {
    return this.#managers.flatMap(({ addresses }) => addresses);
  }

  get healthy(): boolean {
    return this.addresses.some(({ health }) => health.state === 'healthy' || health.state === 'slow');
  }

  /**
   * The best address, equally good ones in turn: healthy before slow before failed, with room before full. The last
   * one is never ejected: when all have failed they are still asked. undefined: no name has an address.
   */
  choose(): Address | undefined {
    const addresses = this.addresses;
    const likely = bestOf(bestOf(addresses, rankOf), ({ ready }) => (ready ? 0 : 1));
    // Where all are full, the shortest queue: a manager that hangs would else keep its share of the callers.
    const best = bestOf(likely, ({ inFlight }) => inFlight.waiting);
    return best[this.#turn++ % Math.max(best.length, 1)];
  }

  /** As `choose`, but waits for the first lookup of a name. Rejects `manager-timeout` or `caller-cancelled`. */
  async chooseSoon(patience: Patience): Promise<Address | undefined> {
    const chosen = this.choose();
    if (chosen || this.#closed || this.#managers.every(({ asked }) => asked)) return chosen;
    await this.#nextLookup(patience);
    return this.chooseSoon(patience);
  }

  /** As `Upstream.line`. */
  line(not?: Line): Line | undefined {
    const mute = this.#muteLines.find((line) => line === not);
    const found = this.addresses.flatMap(({ rank, goodLines }) =>
      goodLines
        .filter((line) => mute === undefined || line.hasAnsweredSince(mute))
        .map((line) => ({ line, cost: line === not ? rank + UNWANTED : rank })),
    );
    const best = bestOf(found, ({ cost }) => cost);
    return best[this.#lineTurn++ % Math.max(best.length, 1)]?.line;
  }

  lineTo(address: string): Line | undefined {
    const lines = this.addresses.filter(({ text }) => text === address).flatMap(({ goodLines }) => goodLines);
    return lines[0];
  }

  watchLines(changed: () => void): () => void {
    const watcher = () => changed();
    this.#lineWatchers.add(watcher);
    return () => void this.#lineWatchers.delete(watcher);
  }

  describeTrouble(): string | undefined {
    return this.healthy ? undefined : describeTrouble(this.#managers, this.#context.clock);
  }

  statuses(): readonly AddressStatus[] {
    return this.#managers.flatMap((manager) =>
      manager.addresses.length > 0 ? manager.addresses.map(({ status }) => status) : [unresolved(manager)],
    );
  }

  /** Resolves when all calls and connections have ended; calls in flight are cancelled at `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    const { clock } = this.#context;
    this.#closed = true;
    this.#wake();
    const refusal = new GatewayError('draining', 'manager-gateway: stopping');
    for (const { inFlight } of this.addresses) inFlight.refuse(refusal);
    const all = [...this.#managers, ...this.#leaving];
    const closed = Promise.all(all.map((manager) => manager.close()));
    const destroy = () => {
      for (const manager of all) manager.destroy();
    };
    const remainingMs = deadlineMs - clock.nowMs();
    if (remainingMs <= 0) destroy();
    const timer = clock.setTimer(remainingMs, destroy);
    await closed;
    timer.cancel();
  }

  get #muteLines(): readonly ChannelLine[] {
    return this.addresses.flatMap(({ lines }) => lines).filter(({ state }) => state === 'mute');
  }

  /** To whoever wants to leave a mute one, it may be good enough now. */
  #lineAnswered(): void {
    if (this.#muteLines.length > 0) this.#tellLineWatchers();
  }

  #tellLineWatchers(): void {
    for (const watcher of [...this.#lineWatchers]) watcher();
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #nextLookup({ deadlineMs, signal }: Patience): Promise<void> {
    const { clock } = this.#context;
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      const end = (settle: () => void) => () => {
        this.#waiting.delete(wake);
        timer?.cancel();
        signal?.removeEventListener('abort', cancelled);
        settle();
      };
      const wake = end(resolve);
      const cancelled = end(() => reject(new GatewayError('caller-cancelled', 'the caller has gone')));
      const late = end(() =>
        reject(
          new GatewayError('manager-timeout', 'manager-gateway: no address of a manager was known in time'),
        ),
      );
      this.#waiting.add(wake);
      signal?.addEventListener('abort', cancelled, { once: true });
      if (deadlineMs !== undefined) timer = clock.setTimer(deadlineMs - clock.nowMs(), late);
    });
  }
}

/** Room counts before speed, but not before life. */
function rankOf({ rank, inFlight }: Address): number {
  return rank < 3 && inFlight.full ? 2.5 : rank;
}

function bestOf<T>(candidates: readonly T[], cost: (candidate: T) => number): readonly T[] {
  const least = Math.min(...candidates.map(cost));
  return candidates.filter((candidate) => cost(candidate) === least);
}

function unresolved(manager: Manager): AddressStatus {
  const { label, text, trouble } = manager;
  return {
    manager: label,
    address: text,
    state: trouble ? 'failed' : 'unknown',
    sinceMs: trouble?.sinceMs ?? 0,
    latencyMs: undefined,
    detail: trouble?.detail ?? 'looking up',
    channels: 0,
    readyChannels: 0,
    inFlight: 0,
  };
}
