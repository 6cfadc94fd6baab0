import { z } from 'zod';
import type { NodeId } from '../keepalive/node.js';
import type { NodeView } from '../keepalive/node-view.js';
import type { PortSays } from '../keepalive/ports.js';
import type { ManagersView } from '../keepalive/reconcile.js';
import { askedNumber } from './api/asked-number.js';
import { type HttpReply, type HttpRoute, json, text } from './http-server.js';

/** The nodes whose KeepAlive streams are here, and what is known of them. */
export interface NodesSource {
  nodes(): readonly NodeView[];
  /** What a manager was last seen to say of the node with this key. */
  managersView(key: string): ManagersView | undefined;
  /** What the port of the node with this key was last seen to say. */
  portSays(key: string): PortSays | undefined;
  /** Ends what is held of these nodes, here and at the manager. Returns how many there were. */
  forget(is: (node: NodeId) => boolean): number;
  /** Monotonic, ms. */
  nowMs(): number;
}

/**
 * `GET /api/nodes?limit=`; null where something is not known. By name; where not all are wanted, those first that are to be looked
 * at. See docs/admin-api.md.
 */
export function listNodes(source: NodesSource): HttpRoute {
  return (query) => {
    const nowMs = source.nowMs();
    const all = source.nodes().toSorted(byName);
    const wrong = all.filter((view) => isWrong(view, source));
    const limit = askedNumber(query, 'limit', all.length, all.length);
    const meant = limit === all.length ? all : [...new Set([...wrong, ...all])].slice(0, limit);
    const nodes = meant.map((view) => shown(view, source, nowMs));
    return json(200, { count: all.length, toLookAt: wrong.length, nodes });
  };
}

/** It is silent, or the manager contradicts. */
function isWrong({ key, alive }: NodeView, source: NodesSource): boolean {
  return !alive || source.managersView(key)?.disputedSinceMs !== undefined;
}

export type ShownNode = ReturnType<typeof shown>;

function shown(view: NodeView, source: NodesSource, nowMs: number) {
  const manager = source.managersView(view.key);
  const { kind, clusterId, hostname, ip } = view.node;
  const agoMs = (atMs: number | undefined): number | null =>
    atMs === undefined ? null : Math.round(nowMs - atMs);
  const { upstream } = view;
  return {
    kind,
    clusterId,
    hostname,
    ip,
    state: view.state,
    alive: view.alive,
    streamsBelow: view.streamsBelow,
    lastBeatAgoMs: agoMs(view.lastBeatAtMs),
    intervalMs: view.intervalMs === undefined ? null : Math.round(view.intervalMs),
    upstream:
      upstream === undefined
        ? null
        : {
            manager: upstream.manager,
            address: upstream.address,
            openedAgoMs: agoMs(upstream.openedAtMs),
          },
    manager:
      manager === undefined
        ? null
        : {
            says: manager.says,
            agoMs: agoMs(manager.atMs),
            detail: manager.detail,
            disputedForMs: agoMs(manager.disputedSinceMs),
          },
    port: source.portSays(view.key) ?? null,
    replica: view.holder ?? null,
    reopenings: view.reopenings,
    lastReopened: view.lastReopened ?? null,
  };
}

function byName(one: NodeView, other: NodeView): number {
  const name = ({ node: { kind, clusterId, hostname, ip } }: NodeView): string =>
    [kind, clusterId.padStart(20, '0'), hostname, ip].join('\n');
  return name(one) < name(other) ? -1 : 1;
}

/** Which nodes are meant; what is left out may be anything. Of a typing error nothing is guessed. */
const MEANT = z.strictObject({
  kind: z.enum(['scheduler', 'seed-peer']).optional(),
  clusterId: z.union([z.string().regex(/^\d+$/), z.int().nonnegative()]).transform(String),
  hostname: z.string().min(1),
  ip: z.string().optional(),
});

/** `POST /api/nodes/forget`: for a node that has gone, and that the gateway takes for alive. */
export function forgetNodes(source: Pick<NodesSource, 'forget'>): (body: unknown) => HttpReply {
  return (body) => {
    const meant = MEANT.safeParse(body);
    if (!meant.success) return text(400, `${z.prettifyError(meant.error)}\n`);
    const { kind, clusterId, hostname, ip } = meant.data;
    const forgotten = source.forget(
      (node) =>
        node.clusterId === clusterId &&
        node.hostname === hostname &&
        (kind === undefined || node.kind === kind) &&
        (ip === undefined || node.ip === ip),
    );
    return forgotten === 0 ? text(404, 'no such node has a stream here\n') : json(200, { forgotten });
  };
}
