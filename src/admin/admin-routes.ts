import type { Mode } from '../config/config.js';
import type { Callers } from '../observe/callers.js';
import type { Emit } from '../observe/events.js';
import type { World } from '../world/world.js';
import { acceptManager } from './accept-manager.js';
import { createActs, maintain, reloadConfig, switchMode } from './api/acts.js';
import {
  acceptEntry,
  type CacheSource,
  dropEntries,
  listCache,
  refreshEntry,
  showEntry,
} from './api/cache.js';
import { listCallers } from './api/callers.js';
import type { Live } from './api/live.js';
import {
  listBreakers,
  listManagers,
  type StatusSource,
  showConfig,
  showHistory,
  showStatus,
} from './api/status.js';
import { type EventStream, type HttpRoute, json, type PostRoute } from './http-server.js';
import { forgetNodes, listNodes, type NodesSource } from './nodes.js';

/** Everything that the admin address shows and does. */
export interface AdminSource {
  readonly status: StatusSource;
  readonly cache: CacheSource;
  readonly nodes: NodesSource;
  readonly callers: Callers;
  readonly live: Live;
  readonly world: Pick<World, 'accept'>;
  readonly setMode: (mode: Mode) => void;
  readonly reload: Parameters<typeof reloadConfig>[0];
  /** `admin.token`; "": nobody may do anything. */
  readonly token: string;
  readonly emit: Emit;
}

export interface AdminRoutes {
  /** Open to whoever reaches the address. */
  readonly routes: ReadonlyMap<string, HttpRoute>;
  /** For whoever shows the token. */
  readonly posts: ReadonlyMap<string, PostRoute>;
  readonly streams: ReadonlyMap<string, EventStream>;
}

/** See docs/admin-api.md. */
export function adminRoutes(source: AdminSource): AdminRoutes {
  const { status, cache, nodes, callers, live, world } = source;
  const nowMs = (): number => status.clock.nowMs();
  const act = createActs(source);
  return {
    routes: new Map([
      ['/api/status', showStatus(status)],
      ['/api/managers', listManagers(status)],
      ['/api/breakers', listBreakers(status)],
      ['/api/cache', listCache(cache)],
      ['/api/cache/entry', showEntry(cache)],
      ['/api/nodes', listNodes(nodes)],
      ['/api/callers', listCallers({ callers, nowMs })],
      ['/api/config', showConfig(status)],
      ['/api/history', showHistory(status)],
      ['/api/warnings', () => json(200, { warnings: live.warnings() })],
    ]),
    posts: new Map([
      ['/api/mode', act('mode', switchMode(source.setMode))],
      ['/api/reload', act('reload', reloadConfig(source.reload), 'none')],
      ['/api/maintenance', act('maintenance', maintain(status.maintenance))],
      ['/api/cache/refresh', act('refresh', refreshEntry(cache))],
      ['/api/cache/accept', act('accept', acceptEntry(cache))],
      ['/api/cache/drop', act('drop', dropEntries(cache))],
      ['/api/accept-manager', act('accept-manager', acceptManager(world), 'none')],
      ['/api/nodes/forget', act('forget-nodes', forgetNodes(nodes))],
    ]),
    streams: new Map([['/api/events', live.stream]]),
  };
}
