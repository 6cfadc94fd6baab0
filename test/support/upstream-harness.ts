import type { Config, ManagerAddress } from '../../src/config/config.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import type { UnaryRequest } from '../../src/rpc/call.js';
import { type Clock, systemClock } from '../../src/rpc/clock.js';
import type { Status } from '../../src/rpc/status.js';
import { createUpstream, type UpstreamOptions } from '../../src/upstream/create-upstream.js';
import type { Upstream } from '../../src/upstream/upstream.js';

type Managers = Config['managers'];
type Partly = Partial<Omit<Managers, 'addrs' | 'tls' | 'probe'>> & {
  addrs: readonly (number | Partial<ManagerAddress>)[];
  tls?: Partial<Managers['tls']>;
  probe?: Partial<Managers['probe']>;
};

export function managersConfig({ addrs, tls, probe, ...rest }: Partly): Managers {
  return {
    channelsPerAddr: 2,
    connectTimeoutMs: 3_000,
    requestTimeoutMs: 10_000,
    maxInFlight: 100,
    ...rest,
    addrs: addrs.map(managerAddress),
    tls: { caCert: '', cert: '', key: '', serverName: '', ...tls },
    probe: { intervalMs: 10_000, timeoutMs: 10_000, slowMs: 2_000, ...probe },
  };
}

function managerAddress(part: number | Partial<ManagerAddress>): ManagerAddress {
  const given = typeof part === 'number' ? { port: part } : part;
  const { host = '127.0.0.1', port = 1 } = given;
  return { text: `${host}:${port}`, resolve: 'one', tls: false, ...given, host, port };
}

const FACTS = /record not found|object storage is disabled|Duplicate entry/;

/** Stands in for the breaker's classification. */
export function classify({ code, message }: Status) {
  if ([0, 3, 5, 9, 12].includes(code) || FACTS.test(message)) return undefined;
  return code === 8 ? 'backpressure' : 'transient';
}

type Kind = GatewayEvent['kind'];
type EventOf<K extends Kind> = Extract<GatewayEvent, { kind: K }>;

/** The upstream under test, and what it says happened. */
export class UpstreamHarness {
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly events: GatewayEvent[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(managers: Partly, options: Partial<UpstreamOptions> = {}) {
    this.clock = options.clock ?? systemClock;
    this.upstream = createUpstream({
      managers: managersConfig(managers),
      limits: { bytesInFlight: 256 * 1024 * 1024 },
      classify,
      methodLabel: (path) => (path.endsWith('/ListSchedulers') ? 'ListSchedulers' : 'other'),
      clock: this.clock,
      random: () => 0.5,
      emit: (event) => this.#emit(event),
      ...options,
    });
    this.upstream.start();
  }

  of<K extends Kind>(kind: K): readonly EventOf<K>[] {
    return this.events.filter((event): event is EventOf<K> => event.kind === kind);
  }

  /** Resolves when `condition` holds; it is looked at whenever something happens here or on the network. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#nextChange();
  }

  /** Every channel of every address is READY and every address has been probed. */
  async settled(): Promise<void> {
    await this.until(() =>
      this.upstream.statuses().every((a) => a.readyChannels === a.channels && a.state !== 'unknown'),
    );
  }

  request(message: string | Buffer, more: Partial<UnaryRequest> = {}): UnaryRequest {
    return {
      path: '/manager.v2.Manager/ListSchedulers',
      metadata: {},
      message: Buffer.from(message),
      deadlineMs: this.clock.nowMs() + 10_000,
      signal: undefined,
      ...more,
    };
  }

  async stop(): Promise<void> {
    await this.upstream.stop(this.clock.nowMs());
  }

  #emit(event: GatewayEvent): void {
    this.events.push(event);
    for (const wake of [...this.#watchers]) wake();
  }

  /** The next event, or the next turn of the event loop with something in it. */
  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#watchers.delete(wake);
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(wake, 5);
      this.#watchers.add(wake);
    });
  }
}
