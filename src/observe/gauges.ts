import { Gauge, type Registry } from 'prom-client';
import type { MeasuredClaims } from './claim-metrics.js';
import { type BreakerStateName, CERTIFICATE_USES, type CertificateUse } from './events.js';
import { METRIC_PREFIX } from './metric-prefix.js';
import type { MeasuredNode } from './node-metrics.js';

const BREAKER_STATES: readonly BreakerStateName[] = ['closed', 'half-open', 'open'];

/** What is read at the moment of a scrape. */
export interface MetricSources {
  readonly version: string;
  /** `fleet.id`, which every series carries; empty: none does. */
  readonly fleet: string;
  /** How old an answer may become: it can change while the gateway runs. */
  readonly maxStaleMs: () => number;
  /** Labels of the methods that are remembered: a closed set, known before the first call. */
  readonly readMethods: readonly string[];
  /** Positions in `managers.addrs`, as text: "0", "1", …; known before the first channel. */
  readonly managerLabels: readonly string[];
  readonly mode: () => string;
  readonly maintained: () => boolean;
  readonly connections: () => number;
  readonly serving: () => boolean;
  readonly redisLost: () => boolean;
  /** `snapshot.dir` is set, and this gateway does not have it. */
  readonly directoryMissing: () => boolean;
  readonly cacheBytes: () => number;
  readonly cacheEntries: () => number;
  readonly flights: () => number;
  /** Poorer answers that are held back now. */
  readonly held: () => number;
  /** Registrations that were acknowledged and that no manager has yet. */
  readonly pendingRegistrations: () => number;
  /** Does the manager look like another one? */
  readonly frozen: () => boolean;
  /** Of each certificate of the gateway's own, Unix ms; undefined: there is none. */
  readonly certificates: () => Readonly<Record<CertificateUse, number | undefined>>;
  readonly nodes: () => readonly MeasuredNode[];
  readonly claims: () => MeasuredClaims;
  readonly breakers: () => ReadonlyMap<string, BreakerStateName>;
  readonly managers: () => readonly {
    manager: string;
    channels: number;
    readyChannels: number;
    inFlight: number;
    healthy: boolean;
  }[];
}

/** Registers everything whose value is there to be read, and needs no event. */
export function registerGauges(registry: Registry, sources: MetricSources): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name: METRIC_PREFIX + name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  new Gauge({
    name: `${METRIC_PREFIX}version`,
    help: 'The version that runs; always 1.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version: sources.version }, 1);
  gauge('downstream_connections', 'Connections from callers.', sources.connections);
  gauge('serving', 'Whether health answers SERVING.', () => Number(sources.serving()));
  gauge('redis_lost', 'Whether redis.addrs is set and nothing can be asked of it.', () =>
    Number(sources.redisLost()),
  );
  gauge(
    'directory_missing',
    'Whether snapshot.dir is set and cannot be used, or another gateway has it.',
    () => Number(sources.directoryMissing()),
  );
  gauge('cache_bytes', 'Memory that remembered answers take, about.', sources.cacheBytes);
  gauge('cache_entries', 'Answers remembered.', sources.cacheEntries);
  gauge('another_manager', 'Whether the manager looks like another one, and nothing of it is taken.', () =>
    Number(sources.frozen()),
  );
  gauge('maintenance', 'Whether reads are answered from memory because an operator wants it.', () =>
    Number(sources.maintained()),
  );
  gauge('flights', 'Questions being asked.', sources.flights);
  gauge('guard_holding', 'Poorer answers that are held back now.', sources.held);
  gauge(
    'registrations_pending',
    'Registrations that were acknowledged and that no manager has yet.',
    sources.pendingRegistrations,
  );
  new Gauge({
    name: `${METRIC_PREFIX}mode`,
    help: 'The mode that runs is 1.',
    labelNames: ['mode'],
    registers: [registry],
    collect() {
      for (const mode of ['answer', 'observe', 'bypass']) this.set({ mode }, Number(sources.mode() === mode));
    },
  });
  new Gauge({
    name: `${METRIC_PREFIX}certificate_expiry_timestamp_seconds`,
    help: 'When the certificate that the gateway shows expires, Unix time; 0: it has none.',
    labelNames: ['use'],
    registers: [registry],
    collect() {
      const expiries = sources.certificates();
      for (const use of CERTIFICATE_USES) this.set({ use }, (expiries[use] ?? 0) / 1000);
    },
  });
  new Gauge({
    name: `${METRIC_PREFIX}breaker_state`,
    help: 'The state a breaker is in is 1.',
    labelNames: ['method', 'state'],
    registers: [registry],
    collect() {
      const states = sources.breakers();
      for (const method of sources.readMethods) {
        for (const state of BREAKER_STATES)
          this.set({ method, state }, Number((states.get(method) ?? 'closed') === state));
      }
    },
  });
  registerManagerGauges(registry, sources);
}

function registerManagerGauges(registry: Registry, sources: MetricSources): void {
  const perManager = (
    name: string,
    help: string,
    read: (manager: ReturnType<MetricSources['managers']>[number]) => number,
  ): void => {
    new Gauge({
      name: METRIC_PREFIX + name,
      help,
      labelNames: ['manager'],
      registers: [registry],
      collect() {
        // Several addresses may stand behind one entry of managers.addrs.
        const sums = new Map<string, number>();
        for (const status of sources.managers())
          sums.set(status.manager, (sums.get(status.manager) ?? 0) + read(status));
        for (const [manager, sum] of sums) this.set({ manager }, sum);
      },
    });
  };
  perManager('upstream_channels', 'Channels to the manager.', (status) => status.channels);
  perManager(
    'upstream_channels_ready',
    'Channels to the manager that are connected.',
    (status) => status.readyChannels,
  );
  perManager('upstream_in_flight', 'Attempts under way.', (status) => status.inFlight);
  perManager('manager_healthy', 'Addresses whose last probe found a working manager.', (status) =>
    Number(status.healthy),
  );
}
