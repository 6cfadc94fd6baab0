import { classify } from '../../src/breaker/classify.js';
import type { Mode } from '../../src/config/config.js';
import { ALONE, type Claims, type ClaimsListener } from '../../src/keepalive/claims.js';
import type { HeldNode, ReplayResult } from '../../src/keepalive/context.js';
import type { NodeId } from '../../src/keepalive/node.js';
import type { NodeView } from '../../src/keepalive/node-view.js';
import { createOpeningPace } from '../../src/keepalive/opening-pace.js';
import { createShield, type Shield } from '../../src/keepalive/shield.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import { decodeRequest } from '../../src/route/proto.js';
import type { Call } from '../../src/rpc/call.js';
import type { Metadata } from '../../src/rpc/metadata.js';
import { requestOf } from './data-path.js';
import { ManualClock } from './manual-clock.js';
import { ScriptedCall } from './scripted-call.js';
import { type OpenedStream, ScriptedLines } from './scripted-line.js';

export const V1 = '/manager.Manager/KeepAlive';
export const V2 = '/manager.v2.Manager/KeepAlive';
export const INTERVAL_MS = 5_000;
export const GRACE_MS = 25_000;
export const LEASE_MS = 15_000;
export const MOST_NODES = 20;

/** A KeepAlive message of the node, with its hostname to be told from others. */
export function beatOf(over: object = {}, path = V2): Buffer {
  const who = { source_type: 'SCHEDULER_SOURCE', cluster_id: '1', hostname: 'node', ip: '127.0.0.1' };
  return requestOf(path, { ...who, ...over });
}

/** A stream of a node, and what became of it. */
export interface Attached {
  readonly call: ScriptedCall;
  /** What `serve` resolved or rejected with; undefined: it has not. */
  outcome: { readonly code: number } | { readonly error: unknown } | undefined;
  beat(over?: object): void;
}

/** The shield, with managers, callers, other replicas and the clock in the test's hand. */
export interface ShieldBench {
  readonly shield: Shield;
  readonly clock: ManualClock;
  readonly lines: ScriptedLines;
  readonly events: GatewayEvent[];
  readonly forwarded: Call[];
  readonly opened: HeldNode[];
  readonly closed: HeldNode[];
  readonly replayed: NodeId[];
  readonly came: NodeId[];
  /** 0 ≤ x < 1; 0.5 unless the test says otherwise. */
  draw: () => number;
  /** What making up for a registration comes to. */
  replay: () => ReplayResult | Promise<ReplayResult>;
  /** Opens a stream with its first message, and lets what follows from it happen. */
  attach(over?: object, path?: string, options?: { mode?: Mode; metadata?: Metadata }): Promise<Attached>;
  /** The same, without a message. */
  open(path?: string, options?: { mode?: Mode; metadata?: Metadata }): Attached;
  /** Streams at the manager that have not ended and are not being ended. */
  live(): OpenedStream[];
  view(): NodeView | undefined;
  /** What other replicas do. */
  readonly others: ClaimsListener;
  of<K extends GatewayEvent['kind']>(kind: K): Extract<GatewayEvent, { kind: K }>[];
  /** Lets promises run. */
  settle(): Promise<void>;
  pass(ms: number): Promise<void>;
  /** Time passes, and the node beats all the while. */
  beating(streams: readonly Attached[], ms: number, intervalMs?: number): Promise<void>;
}

export function shieldBench(
  over: { claims?: Partial<Claims>; lines?: ScriptedLines; mostNodes?: number } = {},
): ShieldBench {
  const clock = new ManualClock();
  const lines = over.lines ?? new ScriptedLines();
  const events: GatewayEvent[] = [];
  const emit = (event: GatewayEvent): void => void events.push(event);
  const [forwarded, opened, closed, replayed, came]: [Call[], HeldNode[], HeldNode[], NodeId[], NodeId[]] = [
    [],
    [],
    [],
    [],
    [],
  ];
  let others: ClaimsListener | undefined;
  const random = (): number => bench.draw();
  const shield = createShield({
    upstream: lines,
    claims: {
      ...ALONE,
      ...over.claims,
      start: (listener) => {
        others = listener;
      },
    },
    pace: createOpeningPace({ clock, random, emit }),
    reconcile: {
      opened: (node) => opened.push(node),
      closed: (node) => closed.push(node),
      stop: () => undefined,
    },
    forward: (call) => {
      forwarded.push(call);
      return Promise.resolve({ code: 12 });
    },
    decoder: { decodeRequest },
    classify,
    replayNode: async (node) => {
      replayed.push(node);
      const result = await bench.replay();
      if (result === 'applied') shield.madeActive(node);
      return result;
    },
    came: (node) => came.push(node),
    graceMs: GRACE_MS,
    leaseMs: LEASE_MS,
    statusTimeoutMs: 1_000,
    mostNodes: over.mostNodes ?? MOST_NODES,
    clock,
    random,
    emit,
  });
  shield.start();
  const bench: ShieldBench = {
    shield,
    clock,
    lines,
    events,
    forwarded,
    opened,
    closed,
    replayed,
    came,
    draw: () => 0.5,
    replay: () => 'unknown',
    open(path = V2, { mode = 'answer', metadata = {} } = {}) {
      const call = new ScriptedCall(path, metadata);
      const attached: Attached = {
        call,
        outcome: undefined,
        beat: (fields = {}) => call.send(beatOf(fields, path)),
      };
      shield.serve(call, mode).then(
        ({ code }) => {
          attached.outcome = { code };
        },
        (error: unknown) => {
          attached.outcome = { error };
        },
      );
      return attached;
    },
    async attach(fields = {}, path = V2, options = {}) {
      const attached = bench.open(path, options);
      attached.beat(fields);
      await bench.settle();
      return attached;
    },
    live: () => lines.streams.filter(({ ended, halfClosed }) => !ended && !halfClosed),
    view: () => shield.nodes()[0],
    get others() {
      if (others === undefined) throw new Error('not started');
      return others;
    },
    of: (kind) => events.filter((event) => event.kind === kind) as never,
    settle: () => clock.advanceAsync(0),
    pass: (ms) => clock.advanceAsync(ms),
    async beating(streams, ms, intervalMs = INTERVAL_MS) {
      for (let passedMs = 0; passedMs < ms; passedMs += intervalMs) {
        await clock.advanceAsync(Math.min(intervalMs, ms - passedMs));
        for (const stream of streams) stream.beat();
        await bench.settle();
      }
    },
  };
  return bench;
}
