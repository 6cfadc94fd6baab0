import type { Config, Mode } from '../config/config.js';
import type { BootClock } from '../durable/boot-clock.js';
import type { OwnDirectory } from '../durable/own-directory.js';
import type { Upstream } from '../upstream/upstream.js';
import { createRedisClaims } from './claims/redis-claims.js';
import { ALONE, type ClaimCounts, type Claims } from './claims.js';
import { createManagerWitness, type ManagerWitnessOptions } from './manager-witness.js';
import type { NodeRecord } from './node.js';
import { createNodesFile, type NodesFile } from './nodes-file.js';
import { createOpeningPace } from './opening-pace.js';
import { createReconcile, type ManagersView } from './reconcile.js';
import { createShield, type Shield, type ShieldOptions } from './shield.js';

/** Measured: a manager that works says so within milliseconds (protocol: 0 of 40 ends came late once the status was there). */
const STATUS_TIMEOUT_MS = 1_000;

/** No fleet has so many; a stream takes some 25 KB. */
const MOST_NODES = 65_536;

export interface KeepAliveOptions
  extends Pick<ShieldOptions, 'classify' | 'replayNode' | 'came' | 'forward' | 'clock' | 'random' | 'emit'> {
  readonly config: Pick<Config, 'keepAlive' | 'managers' | 'redis' | 'fleet'>;
  readonly mode: () => Mode;
  readonly directory: OwnDirectory;
  readonly bootClock: BootClock;
  readonly upstream: Upstream;
  readonly codec: ShieldOptions['decoder'] & ManagerWitnessOptions['codec'];
}

export interface KeepAlive {
  readonly shield: Shield;
  readonly nodesFile: NodesFile;
  /** The manager at this address (host:port), which did not answer, does. */
  managerReturned(address: string): void;
  /** What a manager was last seen to say of the node with this key. */
  managersView(key: string): ManagersView | undefined;
  claims(): ClaimCounts;
}

/** The shield and all it needs, wired together. */
export function createKeepAlive(options: KeepAliveOptions): KeepAlive {
  const { config, upstream, codec } = options;
  const witness = createManagerWitness({ ...options, timeoutMs: config.managers.requestTimeoutMs });
  const reconcile = createReconcile({
    ...options,
    witness,
    lineTo: (address) => upstream.lineTo(address),
    reconcileMs: config.keepAlive.reconcileMs,
  });
  const claims = createClaims(options);
  const shield = createShield({
    ...options,
    decoder: codec,
    claims,
    leaseMs: config.keepAlive.leaseMs,
    pace: createOpeningPace(options),
    reconcile,
    graceMs: config.keepAlive.graceMs,
    statusTimeoutMs: STATUS_TIMEOUT_MS,
    mostNodes: MOST_NODES,
  });
  /** Elsewhere than in `answer` nobody is held. */
  const recover = async (records: readonly NodeRecord[], former: string): Promise<number> => {
    const ours = options.mode() === 'answer' ? await claims.recover(records, former) : [];
    for (const record of ours) shield.expect(record, 'leaving');
    return ours.length;
  };
  const nodesFile = createNodesFile({
    ...options,
    fleetId: config.fleet.id,
    graceMs: config.keepAlive.graceMs,
    replica: claims.replica,
    kept: () => shield.kept(),
    revision: () => shield.revision,
    recover,
  });
  return {
    shield,
    nodesFile,
    managerReturned: (address) => reconcile.returned(address),
    managersView: (key) => reconcile.viewOf(key),
    claims: () => claims.counts(),
  };
}

/** Without Redis nobody can tell the others what it holds. */
function createClaims({ config, mode, clock, emit }: KeepAliveOptions): Claims {
  const { redis, fleet, keepAlive } = config;
  if (redis.addrs.length === 0) return ALONE;
  return createRedisClaims({
    config: redis,
    leaseMs: keepAlive.leaseMs,
    fleetId: fleet.id,
    takesOver: () => mode() === 'answer',
    clock,
    emit,
  });
}
