import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { ManagerAddress } from '../config/config.js';
import type { AddressState, ChannelCreateReason } from '../observe/events.js';
import type { Timer } from '../rpc/clock.js';
import { Address, type AddressContext } from './address.js';
import type { Resolver } from './resolver.js';
import { tlsTowards } from './tls.js';

const LOOKUP_TIMEOUT_MS = 5_000;
/** How often the addresses behind a `dns:///` name are asked for. */
const REFRESH_MS = 30_000;
const FIRST_RETRY_MS = 1_000;

/** Why a name has no addresses. */
export interface ResolveTrouble {
  readonly sinceMs: number;
  readonly sinceWallMs: number;
  readonly detail: string;
}

/** One entry of `managers.addrs`: its name, and the addresses that it has at present. */
export class Manager {
  readonly label: string;
  readonly config: ManagerAddress;
  readonly #context: AddressContext;
  readonly #resolver: Resolver;
  readonly #tls: (() => ConnectionOptions) | undefined;
  readonly #retiring = new Map<Address, Promise<void>>();
  readonly #changed: () => void;
  #addresses: readonly Address[] = [];
  #trouble: ResolveTrouble | undefined;
  #asked = false;
  #lookingUp = false;
  #lastLookupMs = Number.NEGATIVE_INFINITY;
  #retryMs = FIRST_RETRY_MS;
  #moveMs = FIRST_RETRY_MS;
  #timer: Timer | undefined;
  #lookupTimer: Timer | undefined;
  #closed = false;

  /** `changed`: a lookup has ended, one way or the other. */
  constructor(
    context: AddressContext,
    label: string,
    config: ManagerAddress,
    resolver: Resolver,
    changed: () => void,
  ) {
    this.#context = context;
    this.label = label;
    this.config = config;
    this.#resolver = resolver;
    this.#changed = changed;
    this.#tls = config.tls ? tlsTowards(context.managers.tls, config.host) : undefined;
  }

  get addresses(): readonly Address[] {
    return this.#addresses;
  }

  /** `host:port`. */
  get text(): string {
    const { host, port } = this.config;
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }

  /** Set while there is no address at all. */
  get trouble(): ResolveTrouble | undefined {
    return this.#addresses.length === 0 ? this.#trouble : undefined;
  }

  /** Has its name been asked for at least once, with whatever result? */
  get asked(): boolean {
    return this.#asked;
  }

  start(): void {
    void this.#lookup();
  }

  /** Resolves when all calls and connections have ended. */
  async close(reason: 'address-changed' | 'shutdown' = 'shutdown'): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#lookupTimer?.cancel();
    for (const address of this.#addresses) this.#retire(address, reason);
    this.#addresses = [];
    await Promise.all(this.#retiring.values());
  }

  /** After `close`: cancels the calls in flight. */
  destroy(): void {
    for (const address of this.#retiring.keys()) address.destroy();
  }

  async #lookup(): Promise<void> {
    if (this.#closed || this.#lookingUp) return;
    const { clock, emit } = this.#context;
    this.#lookingUp = true;
    this.#timer?.cancel();
    this.#lastLookupMs = clock.nowMs();
    const found = await this.#ask();
    this.#lookingUp = false;
    if (this.#closed) return;
    if (typeof found === 'string') {
      // What was known stays in use: a name server's trouble is not the manager's.
      const since = this.#trouble ?? { sinceMs: clock.nowMs(), sinceWallMs: clock.wallMs() };
      this.#trouble = { ...since, detail: found };
      emit({ kind: 'resolve-failed', manager: this.label, address: this.text, detail: found });
      this.#schedule(this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, REFRESH_MS);
    } else {
      this.#trouble = undefined;
      this.#retryMs = FIRST_RETRY_MS;
      this.#apply(found);
      if (this.config.resolve === 'every') this.#schedule(REFRESH_MS * (0.9 + 0.2 * this.#context.random()));
    }
    this.#asked = true;
    this.#changed();
  }

  /** The addresses, or why there are none, in words. */
  async #ask(): Promise<readonly string[] | string> {
    const tooLong = new Promise<string>((resolve) => {
      const text = `no answer from the resolver within ${LOOKUP_TIMEOUT_MS} ms`;
      this.#lookupTimer = this.#context.clock.setTimer(LOOKUP_TIMEOUT_MS, () => resolve(text));
    });
    const answer = this.#resolver.lookup(this.config.host).then(
      (ips) => (ips.length > 0 ? [...new Set(ips)] : 'the name has no addresses'),
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    const found = await Promise.race([answer, tooLong]);
    this.#lookupTimer?.cancel();
    return found;
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#context.clock.setTimer(delayMs, () => void this.#lookup());
  }

  /** A failing address may have moved; the longer it fails, the less often the name is asked for again. */
  #probed(state: AddressState): void {
    if (state !== 'failed') {
      this.#moveMs = FIRST_RETRY_MS;
    } else if (!isIP(this.config.host) && !this.#closed) {
      const sinceMs = this.#context.clock.nowMs() - this.#lastLookupMs;
      this.#schedule(Math.max(this.#moveMs - sinceMs, 0));
      this.#moveMs = Math.min(this.#moveMs * 2, REFRESH_MS);
    }
  }

  #apply(ips: readonly string[]): void {
    const wanted = this.config.resolve === 'every' ? ips : [this.#chooseOne(ips)];
    const kept = this.#addresses.filter(({ target }) => wanted.includes(target.ip));
    const gone = this.#addresses.filter((address) => !kept.includes(address));
    const known = new Set(kept.map(({ target }) => target.ip));
    const reason = this.#asked && this.#addresses.length > 0 ? 'address-changed' : 'start';
    const opened = wanted.filter((ip) => !known.has(ip)).map((ip) => this.#open(ip, reason));
    this.#addresses = [...kept, ...opened];
    for (const address of gone) this.#retire(address, 'address-changed');
    for (const address of opened) address.start();
  }

  /** The present one while it works; when it fails, the next one behind the name. */
  #chooseOne(ips: readonly string[]): string {
    const [first = ''] = ips;
    const [present] = this.#addresses;
    const position = present ? ips.indexOf(present.target.ip) : -1;
    if (!present || position < 0) return first;
    return present.health.state === 'failed'
      ? (ips[(position + 1) % ips.length] ?? first)
      : present.target.ip;
  }

  #open(ip: string, reason: ChannelCreateReason): Address {
    const target = { ip, port: this.config.port, manager: this.text, tls: this.#tls };
    return new Address(this.#context, this.label, target, reason, (state) => this.#probed(state));
  }

  #retire(address: Address, reason: 'address-changed' | 'shutdown'): void {
    const closed = address.close(reason).then(() => void this.#retiring.delete(address));
    this.#retiring.set(address, closed);
  }
}
