import { setMaxListeners } from 'node:events';
import { type Clock, systemClock, type Timer } from '../../rpc/clock.js';
import { freePort } from '../free-port.js';
import type { ManagerParts } from './answerer.js';
import { createCodec } from './codec.js';
import type { Fault, FaultKind } from './fault.js';
import { FaultBoard } from './fault-board.js';
import { Incoming } from './incoming.js';
import type { ManagerRecord } from './manager-record.js';
import type { ManagerVersion } from './manager-version.js';
import { seededRandom } from './random.js';
import { RateLimit } from './rate-limit.js';
import { type RawServer, startRawServer } from './raw-server.js';
import { seedFromRecordings } from './recorded-rows.js';
import { type SaidAnswer, type SeenCall, SeenCalls } from './seen-calls.js';

export type { SaidAnswer, SeenCall } from './seen-calls.js';

import { type CallSettings, serveCall } from './serve-call.js';
import type { SimulatedTls } from './simulated-tls.js';
import { Stores } from './stores.js';
import { startSweeping } from './sweep.js';

export type SimulatedManagerOptions = {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: one that is likely to be free when it is restarted. */
  readonly port?: number;
  /** Default v2.5.1. */
  readonly version?: ManagerVersion;
  /** 1 is real time, the default; with 10 its cache minutes and intervals pass ten times as fast. */
  readonly timeFactor?: number;
  readonly clock?: Clock;
  /** Of everything random. Default 1. */
  readonly seed?: number;
  readonly tls?: SimulatedTls;
  /** Rows shared between managers or kept across restarts; default: the rows of the recordings, all active. */
  readonly record?: ManagerRecord;
  /** GOAWAY after this age, ±10 %, ms of real time. Default: 12 h over the time factor. */
  readonly connectionAgeMs?: number;
  /** How often v2.5 tidies up, ms of real time. Default: an hour over the time factor. */
  readonly sweepIntervalMs?: number;
  /**
   * How often, and how late (ms of real time), the "inactive" of a cancelled KeepAlive is written too late, after
   * the "active" of a stream opened at once in its place. Default: as measured, 17 of 40 (v2.1.55: 11 of 40), 50 ms.
   */
  readonly lateInactive?: { readonly probability: number; readonly delayMs: number };
  /** Told of every answer, right before its status is sent: a record of what this manager really said. */
  readonly witness?: (said: SaidAnswer) => void;
};

export type SimulatedManagerStats = {
  readonly connectionsOpen: number;
  readonly connectionsTotal: number;
  readonly callsTotal: number;
  readonly callsOpen: number;
  readonly keepAliveStreamsOpen: number;
  readonly cancelledTotal: number;
  /** By full path. */
  readonly callsByMethod: Readonly<Record<string, number>>;
  /** By status code, as text, of the calls that have ended. */
  readonly callsByCode: Readonly<Record<string, number>>;
};

export interface SimulatedManager {
  /** host:port */
  readonly address: string;
  readonly port: number;
  readonly version: ManagerVersion;
  readonly record: ManagerRecord;
  /** A copy of the counters as they are now. Counted over restarts. */
  readonly stats: SimulatedManagerStats;
  readonly running: boolean;
  setFault(fault: Fault): void;
  clearFault(kind: FaultKind): void;
  clearFaults(): void;
  /** The newest 10,000 calls, oldest first. */
  calls(): readonly SeenCall[];
  forgetCalls(): void;
  /** As kill -9: connections drop at once, rows stay as they are. */
  stop(): Promise<void>;
  /** On the same port, with the same record; what was cached in the process is gone. Faults stay set. */
  restart(): Promise<void>;
}

/** Real durations, divided by the time factor: the manager ends connections, with this grace, and idle ones. */
const CONNECTION_AGE_MS = 12 * 60 * 60_000;
const CONNECTION_GRACE_MS = 5 * 60_000;
const CONNECTION_IDLE_MS = 10 * 60_000;
const LATE_INACTIVE_MS = 50;
const LATE_PROBABILITY = { 'v2.5.1': 17 / 40, 'v2.1.55': 11 / 40 } as const;
const GOAWAY_GRACE_MS = 1_000;

/** A manager that behaves as real ones were measured to, on a real socket. It runs until it is stopped. */
export async function startSimulatedManager(
  options: SimulatedManagerOptions = {},
): Promise<SimulatedManager> {
  const manager = new Simulation(options);
  await manager.restart();
  return manager;
}

/** What dies with the process. */
type Life = {
  readonly server: RawServer;
  readonly death: AbortController;
  readonly sweeping: Timer | undefined;
};

class Simulation implements SimulatedManager {
  readonly version: ManagerVersion;
  readonly record: ManagerRecord;
  readonly #options: SimulatedManagerOptions;
  readonly #faults: FaultBoard;
  readonly #clock: Clock;
  readonly #seen: SeenCalls;
  readonly #random: () => number;
  readonly #timeFactor: number;
  readonly #host: string;
  #port: number;
  #life: Life | undefined;
  #connectionsBefore = 0;

  constructor(options: SimulatedManagerOptions) {
    this.#options = options;
    this.version = options.version ?? 'v2.5.1';
    this.#clock = options.clock ?? options.record?.clock ?? systemClock;
    this.record = options.record ?? seedFromRecordings({ clock: this.#clock, version: this.version });
    this.#faults = new FaultBoard(this.#clock);
    this.#seen = new SeenCalls(this.#clock, options.witness);
    this.#random = seededRandom(options.seed ?? 1);
    this.#timeFactor = options.timeFactor ?? 1;
    this.#host = options.host ?? '127.0.0.1';
    this.#port = options.port ?? 0;
  }

  get address(): string {
    return `${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get running(): boolean {
    return this.#life !== undefined;
  }

  get stats(): SimulatedManagerStats {
    return {
      connectionsOpen: this.#life?.server.connectionsOpen ?? 0,
      connectionsTotal: this.#connectionsBefore + (this.#life?.server.connectionsTotal ?? 0),
      callsTotal: this.#seen.total,
      callsOpen: this.#seen.open,
      keepAliveStreamsOpen: this.#seen.keepAliveStreamsOpen,
      cancelledTotal: this.#seen.cancelledTotal,
      callsByMethod: this.#seen.byMethod,
      callsByCode: this.#seen.byCode,
    };
  }

  setFault(fault: Fault): void {
    if (fault.kind === 'connection-age') {
      // An event, not a state: it is over as soon as it is sent.
      this.#life?.server.sendGoaway(fault.graceMs ?? GOAWAY_GRACE_MS);
      return;
    }
    this.#faults.set(fault);
    if (fault.kind === 'frozen') this.#life?.server.setFrozen(true);
  }

  clearFault(kind: FaultKind): void {
    this.#faults.clear(kind);
    if (kind === 'frozen') this.#life?.server.setFrozen(false);
  }

  clearFaults(): void {
    this.#faults.clearAll();
    this.#life?.server.setFrozen(false);
  }

  calls(): readonly SeenCall[] {
    return this.#seen.list();
  }

  forgetCalls(): void {
    this.#seen.forget();
  }

  async stop(): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    this.#life = undefined;
    this.#connectionsBefore += life.server.connectionsTotal;
    // First: what dies with the connections must find the process dead, or rows would change.
    life.death.abort();
    life.sweeping?.cancel();
    await life.server.kill();
  }

  async restart(): Promise<void> {
    await this.stop();
    const death = new AbortController();
    // Every late write waits for it.
    setMaxListeners(0, death.signal);
    const parts = this.#parts(death.signal);
    const settings = this.#callSettings();
    if (this.#port === 0) this.#port = await freePort(this.#host);
    const server = await startRawServer({
      host: this.#host,
      port: this.#port,
      tls: this.#options.tls,
      connectionAgeMs: this.#options.connectionAgeMs ?? CONNECTION_AGE_MS / this.#timeFactor,
      connectionAgeGraceMs: CONNECTION_GRACE_MS / this.#timeFactor,
      connectionIdleMs: CONNECTION_IDLE_MS / this.#timeFactor,
      clock: this.#clock,
      random: this.#random,
      onCall: (call) => {
        void serveCall(parts, new Incoming(call, this.#seen.begin(call, call.getPath())), settings);
      },
    });
    server.setFrozen(this.#faults.get('frozen') !== undefined);
    const sweeping =
      this.version === 'v2.5.1' ? startSweeping(parts, this.#options.sweepIntervalMs) : undefined;
    this.#life = { server, death, sweeping };
  }

  #parts(lifetime: AbortSignal): ManagerParts {
    const { record, version } = this;
    const timeFactor = this.#timeFactor;
    const faults = this.#faults;
    const stores = new Stores({ record, faults, version, timeFactor });
    return { record, version, timeFactor, faults, stores, codec: createCodec(version), lifetime };
  }

  #callSettings(): CallSettings {
    const { version } = this;
    const lateInactive = this.#options.lateInactive ?? {
      probability: LATE_PROBABILITY[version],
      delayMs: LATE_INACTIVE_MS,
    };
    const faults = this.#faults;
    return {
      keepAlive: { random: this.#random, lateInactive },
      rateLimit: new RateLimit({ version, timeFactor: this.#timeFactor, clock: this.#clock, faults }),
    };
  }
}
