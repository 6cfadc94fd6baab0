import { classify } from './breaker/classify.js';
import { createSnapshot } from './cache/snapshot/snapshot.js';
import type { Config, Mode } from './config/config.js';
import { createRunningConfig } from './config/running-config.js';
import { type Control, createControl } from './control.js';
import { createDataPath } from './data-path.js';
import { systemBootClock } from './durable/boot-clock.js';
import { createOwnDirectory } from './durable/own-directory.js';
import { createEntrance } from './entrance.js';
import { createGround, type GroundOptions } from './ground.js';
import { type BoundAddresses, createLifecycle, type Lifecycle } from './lifecycle.js';
import { createNodeKeeping } from './node-keeping.js';
import { wireObservation } from './observation.js';
import type { Emit, GatewayEvent } from './observe/events.js';
import type { Readiness } from './observe/readiness.js';
import { createClassifier } from './route/classify.js';
import { methodLabel } from './route/method-table.js';
import { decodeRequest, requestFieldNumbers } from './route/proto.js';
import { createUpstream } from './upstream/create-upstream.js';
import type { AddressStatus } from './upstream/upstream.js';
import { createWarmup } from './warmup/warmup.js';

export type { BoundAddresses };

/**
 * `start` binds every address; it rejects with `listen-failed`, and then nothing is left open. `drain`: health says NOT_SERVING, GOAWAY,
 * what is in flight finishes; it resolves before `server.drainTimeout`. `stop`: at once.
 */
export interface Gateway extends Lifecycle, Control {
  readonly mode: Mode;
  readonly emit: Emit;
  readonly readiness: Readiness;
  managers(): readonly AddressStatus[];
}

export interface GatewayOptions extends GroundOptions {
  readonly config: Config;
  /** Reads the configuration again, from the same sources; throws `config-invalid`. Without it a reload reads what it started with. */
  readonly load?: () => Config;
  /** Told of every event, besides log and metrics. */
  readonly subscriber?: (event: GatewayEvent) => void;
}

/** What lists do not say of their nodes, and KeepAlive messages do. */
const SOURCE = { scheduler: 'SCHEDULER_SOURCE', 'seed-peer': 'SEED_PEER_SOURCE' } as const;

/** The composition root: everything is made here, or in a file beside this one, and nothing elsewhere. */
export function createGateway(options: GatewayOptions): Gateway {
  const running = createRunningConfig(options.config);
  const ground = createGround(running.config, options);
  const { config, clock, emit } = ground;

  const fleetId = config.fleet.id;
  const upstream = createUpstream({
    ...ground,
    managers: config.managers,
    limits: config.server.limits,
    classify,
    methodLabel,
  });
  const dataPath = createDataPath({
    ...ground,
    upstream,
    isAlive: (listed) => shield.isAlive({ ...listed, source: SOURCE[listed.kind] }) === true,
  });
  const bootId = systemBootClock()?.bootId;
  const directory = createOwnDirectory({ dir: config.snapshot.dir, fleetId, bootId, clock, emit });
  const snapshot = createSnapshot({
    ...{ ...ground, ...dataPath, directory, fleetId },
    limits: { ...config.snapshot, ...config.cache },
    bootClock: systemBootClock,
  });
  const classifier = createClassifier({ fleetId, decoder: { decodeRequest, requestFieldNumbers } });
  const questionOf = classifier.question;
  const warmup = createWarmup({ ...ground, ...dataPath, directory, questionOf, upstream });
  const nodeKeeping = createNodeKeeping({ ground, upstream, directory, classifier, dataPath });
  const { shield, nodesFile } = nodeKeeping.keepAlive;
  const entrance = createEntrance({ ground, upstream, dataPath, classifier, nodeKeeping, warmup });

  const control = createControl({
    ...{ ground, running, dataPath, upstream, ...entrance },
    load: options.load ?? (() => options.config),
    certificates: () => observation.certificates,
  });
  const above = { ...ground, ...nodeKeeping, ...entrance, upstream, dataPath, directory, warmup };
  const observation = wireObservation({ ...above, ...control });
  if (options.subscriber !== undefined) ground.subscribers.push(options.subscriber);
  const flushLog = (): void => ground.log.flush();
  const lifecycle = createLifecycle({ ...above, ...observation, shield, nodesFile, snapshot, flushLog });

  return {
    ...lifecycle,
    ...control,
    get mode() {
      return ground.mode();
    },
    emit,
    readiness: entrance.readiness,
    managers: () => upstream.statuses(),
  };
}
