import type { MemoryStore } from './cache/memory.js';
import type { Voids } from './cache/voids.js';
import type { Config } from './config/config.js';
import type { Emit } from './observe/events.js';
import { tag } from './route/method-table.js';
import { decodeResponse, encodeRequest } from './route/proto.js';
import type { Clock } from './rpc/clock.js';
import { NO_METADATA } from './rpc/metadata.js';
import type { Upstream } from './upstream/upstream.js';
import { createWorld, type World, type WorldOptions } from './world/world.js';

export interface KnownManagerOptions {
  readonly config: Pick<Config, 'managers'>;
  /** Who is asked whether it is still the same manager. */
  readonly witness: Pick<Upstream, 'unary'>;
  readonly upstream: Pick<Upstream, 'healthy'>;
  /** Resolves when the gateway may ask something for itself. */
  readonly turn: () => Promise<void>;
  readonly remembered: MemoryStore['peek'];
  readonly voids: Voids;
  readonly classify: WorldOptions['classify'];
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
}

/** Which manager is ours: `world/`, wired to what is remembered, deleted and asked on the data path. */
export function createKnownManager(options: KnownManagerOptions): World {
  const { config, witness, upstream, turn, voids, clock } = options;
  return createWorld({
    ...options,
    async ask(path, message) {
      await turn();
      const deadlineMs = clock.nowMs() + config.managers.requestTimeoutMs;
      return witness.unary({ path, message, metadata: NO_METADATA, deadlineMs, signal: undefined });
    },
    encode: (path, fields) => encodeRequest(path, { ...fields }),
    decode: decodeResponse,
    forgetAll: () => voids.replaceAll(clock.nowMs()),
    // Schedulers are deleted in the console only, and nobody is told.
    wasDeleted: ({ kind, clusterId, hostname }, sinceMs) =>
      kind === 'seed-peer' && voids.isDeleted([tag.seedPeer(clusterId, hostname)], sinceMs),
    managerHealthy: () => upstream.healthy,
  });
}
