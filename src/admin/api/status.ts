import type { Maintenance } from '../../cache/maintenance.js';
import type { Config, Mode } from '../../config/config.js';
import type { AnswerKind, BreakerStateName } from '../../observe/events.js';
import type { History } from '../../observe/history.js';
import type { Readiness } from '../../observe/readiness.js';
import type { Clock } from '../../rpc/clock.js';
import type { AddressStatus } from '../../upstream/upstream.js';
import { type HttpRoute, json } from '../http-server.js';
import type { ConfigState } from './config-state.js';
import { redact } from './redact.js';
import { sentenceOf } from './sentence.js';

/** Everything that says how the gateway is. */
export interface StatusSource {
  readonly version: string;
  readonly config: Config;
  /** What became of the file that it was read from. */
  readonly configState: () => ConfigState;
  readonly mode: () => Mode;
  readonly readiness: Readiness;
  readonly frozen: () => string | undefined;
  readonly maintenance: Maintenance;
  readonly managers: () => readonly AddressStatus[];
  /** Why no manager works; undefined: one does. */
  readonly trouble: () => string | undefined;
  readonly breakers: () => ReadonlyMap<string, BreakerStateName>;
  readonly history: History;
  readonly connections: () => number;
  readonly cache: () => { readonly entries: number; readonly sizeBytes: number };
  readonly nodes: () => { readonly live: number; readonly disputed: number };
  readonly pendingRegistrations: () => number;
  readonly clock: Clock;
  readonly startedAtMs: number;
}

export type Status = ReturnType<typeof statusOf>;

/** `GET /api/status`. */
export function showStatus(source: StatusSource): HttpRoute {
  return () => json(200, statusOf(source));
}

export function statusOf(source: StatusSource) {
  const { config, readiness, maintenance, clock } = source;
  const answers = answersOf(source.history);
  const reads = { all: answers.hit + answers.stale + answers.miss, spared: answers.hit + answers.stale };
  const managers = source.managers();
  const nodes = source.nodes();
  const standing = sentenceOf({
    mode: source.mode(),
    draining: readiness.draining,
    notServing: readiness.reason,
    frozen: source.frozen(),
    maintenanceLeftMs: maintenance.leftMs,
    managers: { working: managers.filter(({ state }) => works(state)).length, all: managers.length },
    trouble: source.trouble(),
    openBreakers: [...source.breakers().values()].filter((state) => state === 'open').length,
    configRefused: source.configState().refused !== null,
    liveNodes: nodes.live,
    disputedNodes: nodes.disputed,
    reads,
  });
  const upMs = clock.nowMs() - source.startedAtMs;
  return {
    health: standing.health,
    sentence: standing.text,
    version: source.version,
    fleetId: config.fleet.id,
    mode: source.mode(),
    startedAt: new Date(clock.wallMs() - upMs).toISOString(),
    upMs: Math.round(upMs),
    now: new Date(clock.wallMs()).toISOString(),
    serving: readiness.serving,
    notReady: readiness.notReady ?? null,
    draining: readiness.draining,
    anotherManager: source.frozen() ?? null,
    maintenance: { on: maintenance.on, leftMs: Math.round(maintenance.leftMs) },
    connections: source.connections(),
    cache: { ...source.cache(), maxBytes: config.cache.maxBytes },
    lastHour: { answers, spared: reads.spared, reads: reads.all },
    nodes,
    pendingRegistrations: source.pendingRegistrations(),
    configuration: source.configState(),
    mayAct: config.admin.token !== '',
  };
}

function answersOf(history: History): Record<AnswerKind, number> {
  const sum: Record<AnswerKind, number> = { hit: 0, stale: 0, miss: 0, forwarded: 0, local: 0, refused: 0 };
  for (const { answers } of history.samples()) {
    for (const kind of Object.keys(sum) as AnswerKind[]) sum[kind] += answers[kind];
  }
  return sum;
}

function works(state: AddressStatus['state']): boolean {
  return state === 'healthy' || state === 'slow';
}

/** `GET /api/managers`. */
export function listManagers({ managers, clock }: StatusSource): HttpRoute {
  return () => {
    const nowMs = clock.nowMs();
    return json(200, { managers: managers().map((status) => shownManager(status, nowMs)) });
  };
}

export type ShownManager = ReturnType<typeof shownManager>;

function shownManager({ sinceMs, latencyMs, ...status }: AddressStatus, nowMs: number) {
  return {
    ...status,
    forMs: Math.round(nowMs - sinceMs),
    latencyMs: latencyMs === undefined ? null : Math.round(latencyMs * 10) / 10,
  };
}

/** `GET /api/breakers`: methods that were asked for since the start. */
export function listBreakers({ breakers }: StatusSource): HttpRoute {
  return () => json(200, { breakers: [...breakers()].map(([method, state]) => ({ method, state })) });
}

/** `GET /api/history`: the last hour in steps. */
export function showHistory({ history }: StatusSource): HttpRoute {
  return () => json(200, { stepMs: history.stepMs, samples: history.samples() });
}

/** `GET /api/config`: what runs, secrets left out, and whether the file says otherwise. */
export function showConfig({ config, mode, configState }: StatusSource): HttpRoute {
  return () => json(200, { ...configState(), config: { ...(redact(config) as object), mode: mode() } });
}
