import { createRedisClaims } from '../../src/keepalive/claims/redis-claims.js';
import type { Claims } from '../../src/keepalive/claims.js';
import { type NodeId, type NodeRecord, nodeKeyOf } from '../../src/keepalive/node.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import { createRedisClient, type RedisClient, type RedisClientOptions } from '../../src/redis/client.js';
import { configOf } from './data-path.js';
import { watchEvents } from './event-watch.js';
import { FrozenClock } from './frozen-clock.js';

/** What a manager does with streams: the first message of one sets the node active, any end of one inactive. */
export class StreamsAtManager {
  readonly open = new Map<string, Set<string>>();
  readonly active = new Map<string, boolean>();
  /** `+` opened, `-` ended, in order: "+A scheduler-1". */
  readonly log: string[] = [];

  begin(key: string, replica: string): void {
    this.log.push(`+${replica}`);
    this.open.set(key, (this.open.get(key) ?? new Set()).add(replica));
    this.active.set(key, true);
  }
  end(key: string, replica: string): void {
    if (!this.open.get(key)?.delete(replica)) return;
    this.log.push(`-${replica}`);
    this.active.set(key, false);
  }
  at(key: string): string[] {
    return [...(this.open.get(key) ?? [])];
  }
}

export function recordOf(hostname: string, first = 'first'): NodeRecord {
  const node: NodeId = {
    kind: 'scheduler',
    source: 'SCHEDULER_SOURCE',
    clusterId: '1',
    hostname,
    ip: '127.0.0.9',
  };
  return { node, path: '/manager.v2.Manager/KeepAlive', first: Buffer.from(first), intervalMs: 5_000 };
}

export const keyOf = (hostname: string): string => nodeKeyOf(recordOf(hostname).node);

export interface ClaimantOptions {
  readonly name: string;
  readonly redis: string;
  readonly manager?: StreamsAtManager;
  readonly leaseMs?: number;
  readonly originMs?: number;
  readonly sets?: readonly string[];
  /** Between a yield and the status of the stream. */
  readonly endingMs?: number;
}

/** One replica as its claims see it: nodes that are here, their streams at the manager, and what is asked of them. */
export class Claimant {
  readonly name: string;
  readonly clock: FrozenClock;
  readonly claims: Claims;
  readonly events: GatewayEvent[];
  readonly seen: ReturnType<typeof watchEvents>['seen'];
  /** Nodes with a stream of their own here. */
  readonly here = new Set<string>();
  /** What the claims told this replica, in order: "yield scheduler-1". */
  readonly told: string[] = [];
  readonly manager: StreamsAtManager;
  endingMs: number;
  #clients: RedisClient[] = [];
  /** Commands sent to Redis. */
  commands = 0;
  #opening = new Set<string>();
  #dead = false;

  constructor(options: ClaimantOptions) {
    const { events, subscriber, seen } = watchEvents();
    this.name = options.name;
    this.clock = new FrozenClock(options.originMs);
    this.manager = options.manager ?? new StreamsAtManager();
    this.endingMs = options.endingMs ?? 0;
    [this.events, this.seen] = [events, seen];
    const config = configOf('', [
      'fleet.id=f1',
      `redis.addrs=["${options.redis}"]`,
      'redis.timeout=2s',
      ...(options.sets ?? []),
    ]);
    this.claims = createRedisClaims({
      config: config.redis,
      fleetId: config.fleet.id,
      leaseMs: options.leaseMs ?? 15_000,
      takesOver: () => true,
      clock: this.clock,
      emit: subscriber,
      createClient: (more) => this.#freezable(more),
    });
    this.claims.start({
      yield: (key) => this.#yield(key),
      reassert: (key) => {
        this.#tell('reassert', key);
        if (!this.manager.at(key).includes(name(this))) return;
        this.manager.end(key, this.name);
        this.manager.begin(key, this.name);
      },
      orphaned: (record) => {
        const key = nodeKeyOf(record.node);
        this.#tell('orphaned', key);
        this.manager.begin(key, this.name);
      },
      freed: (key) => {
        this.#tell('freed', key);
        if (this.here.has(key)) void this.take(key);
      },
    });
  }

  /** The node opens a stream here. */
  attach(hostname: string): Promise<void> {
    const key = keyOf(hostname);
    this.here.add(key);
    return this.take(key);
  }

  async take(key: string): Promise<void> {
    const [, , , hostname] = JSON.parse(key) as string[];
    this.#opening.add(key);
    await this.claims.take(recordOf(hostname as string));
    // It may have been yielded, or have left, while it was taken.
    const goesOn = this.#opening.delete(key) && this.here.has(key);
    if (goesOn && !this.manager.at(key).includes(this.name)) this.manager.begin(key, this.name);
  }

  /** Its last stream here has ended. */
  detach(hostname: string): Promise<void> {
    const key = keyOf(hostname);
    this.here.delete(key);
    return this.letGo(key);
  }
  letGo(key: string): Promise<void> {
    this.manager.end(key, this.name);
    return this.claims.release(key);
  }

  get believes(): (key: string) => boolean {
    return (key) => !this.clock.frozen && !this.#dead && this.claims.holds(key);
  }
  /** Are its claims shared, by what was told of it last? */
  get isShared(): boolean {
    const told = this.events.findLast(({ kind }) => kind === 'claims-shared' || kind === 'claims-unshared');
    return told?.kind === 'claims-shared';
  }
  of<K extends GatewayEvent['kind']>(kind: K): Extract<GatewayEvent, { kind: K }>[] {
    return this.events.filter((event) => event.kind === kind) as never;
  }
  freeze(): void {
    this.clock.freeze();
  }
  thaw(): void {
    this.clock.thaw();
  }
  /** kill -9: nothing is said any more, and the manager sees its streams end. */
  kill(): void {
    this.#dead = true;
    this.clock.freeze();
    for (const client of this.#clients) client.close();
    for (const key of this.manager.open.keys()) this.manager.end(key, this.name);
    this.here.clear();
  }
  async stop(): Promise<void> {
    if (this.#dead) return;
    this.thaw();
    await this.claims.stop();
  }

  async #yield(key: string): Promise<void> {
    this.#tell('yield', key);
    this.#opening.delete(key);
    if (this.endingMs > 0)
      await new Promise<void>((resolve) => void this.clock.setTimer(this.endingMs, resolve));
    this.manager.end(key, this.name);
  }

  #tell(what: string, key: string): void {
    this.told.push(`${what} ${(JSON.parse(key) as string[])[3]}`);
  }

  /** A client whose process can be frozen: what Redis says meanwhile is heard when it is thawed. */
  #freezable(options: RedisClientOptions): RedisClient {
    const late =
      <A extends unknown[]>(heard: (...args: A) => void) =>
      (...args: A): void =>
        this.clock.run(() => heard(...args));
    const client = createRedisClient({
      ...options,
      onReady: late(options.onReady),
      onError: late(options.onError),
      onSubscribed: late(options.onSubscribed),
      onSubscribeError: late(options.onSubscribeError),
      onNews: late(options.onNews),
    });
    this.#clients.push(client);
    return {
      get ready() {
        return client.ready;
      },
      connect: () => client.connect(),
      close: () => client.close(),
      run: (script, keys, args) =>
        new Promise((resolve, reject) => {
          this.commands++;
          client.run(script, keys, args).then(late(resolve), late(reject));
        }),
    };
  }
}

function name(claimant: Claimant): string {
  return claimant.name;
}
