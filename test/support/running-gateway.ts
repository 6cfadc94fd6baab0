import type { Config } from '../../src/config/config.js';
import { type BoundAddresses, createGateway, type Gateway } from '../../src/gateway.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import type { Clock } from '../../src/rpc/clock.js';
import { configOf } from './data-path.js';
import { watchEvents } from './event-watch.js';

/** A gateway in this process, on ephemeral ports, with its events at hand. */
export interface RunningGateway {
  readonly gateway: Gateway;
  readonly bound: BoundAddresses;
  /** host:port for callers. */
  readonly address: string;
  readonly events: readonly GatewayEvent[];
  /** Resolves with the first event, past or to come, that `matches`. */
  seen(matches: (event: GatewayEvent) => boolean): Promise<GatewayEvent>;
}

export interface RunningGatewayOptions {
  readonly managers: readonly string[];
  /** More YAML; `server.listen`, `admin` and `managers.addrs` are set already. */
  readonly sets?: readonly string[];
  readonly clock?: Clock;
  /** What a reload reads, after the settings above; throws if it is bad. Default: nothing new. */
  readonly reread?: () => readonly string[];
}

export async function startGateway({
  managers,
  sets = [],
  clock,
  reread = () => [],
}: RunningGatewayOptions): Promise<RunningGateway> {
  const { events, subscriber, seen } = watchEvents();
  const load = (more: readonly string[]): Config =>
    configOf('', [
      'server.listen=127.0.0.1:0',
      'admin.enable=false',
      'metrics.addr=127.0.0.1:0',
      // Tests that are about the disk name a directory of their own.
      'snapshot.dir=',
      `managers.addrs=${JSON.stringify(managers)}`,
      ...sets,
      ...more,
    ]);
  const gateway = createGateway({
    config: load([]),
    load: () => load(reread()),
    ...(clock === undefined ? {} : { clock }),
    logDestination: { write: () => undefined },
    subscriber,
  });
  const bound = await gateway.start();
  return {
    gateway,
    bound,
    address: `${bound.listen.host}:${bound.listen.port}`,
    events,
    seen,
  };
}
