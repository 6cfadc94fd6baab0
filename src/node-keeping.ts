import { classify } from './breaker/classify.js';
import type { DataPath } from './data-path.js';
import { systemBootClock } from './durable/boot-clock.js';
import type { OwnDirectory } from './durable/own-directory.js';
import type { Ground } from './ground.js';
import { createKeepAlive, type KeepAlive } from './keepalive/create-keep-alive.js';
import { createPorts, type Ports } from './keepalive/ports.js';
import { createRegistrationsPart, type RegistrationsPart } from './registrations/create-registrations.js';
import type { Classifier } from './route/classify.js';
import { createOpenEnded, type OpenEnded } from './route/open-ended.js';
import { decodeRequest, decodeResponse, encodeRequest } from './route/proto.js';
import type { Upstream } from './upstream/upstream.js';

/** What is done for nodes: their registrations and their KeepAlive streams, which need each other. */
export interface NodeKeeping {
  readonly registrations: RegistrationsPart;
  readonly keepAlive: KeepAlive;
  readonly openEnded: OpenEnded;
  readonly ports: Ports;
}

export interface NodeKeepingOptions {
  readonly ground: Ground;
  readonly upstream: Upstream;
  readonly directory: OwnDirectory;
  readonly classifier: Pick<Classifier, 'touched'>;
  readonly dataPath: Pick<DataPath, 'world' | 'written' | 'pace'>;
}

const codec = { decodeRequest, decodeResponse, encodeRequest };

export function createNodeKeeping(options: NodeKeepingOptions): NodeKeeping {
  const { ground, upstream, directory, classifier, dataPath } = options;
  const { config, clock, random } = ground;
  const registrations = createRegistrationsPart({
    ...ground,
    directory,
    upstream,
    codec,
    frozen: () => dataPath.world.frozen,
    cleared: () => dataPath.world.cleared(),
    isAlive: (node) => keepAlive.shield.isAlive(node),
    acknowledged: (node) => keepAlive.shield.registered(node),
    written: (path, request) => dataPath.written(classifier.touched(path, request)),
    registered: (node) => keepAlive.shield.madeActive(node),
    turn: () => dataPath.pace.turn(),
    classify,
  });
  const openEnded = createOpenEnded({ forward: (call) => upstream.forward(call), clock, random });
  const keepAlive = createKeepAlive({
    ...ground,
    directory,
    bootClock: systemBootClock,
    upstream,
    codec,
    classify,
    forward: (call) => openEnded.forward(call),
    // Told at the opening of a stream, which no cache is asked for, or by a witness that is believed.
    replayNode: (node) => registrations.replayNode(node, { force: true }),
    came: (node) => registrations.aliveNow(node),
  });
  const ports = createPorts({
    intervalMs: config.keepAlive.portCheckMs,
    nodes: () => keepAlive.shield.nodes(),
    portOf: registrations.portOf,
    clock,
    random,
  });
  return { registrations, keepAlive, openEnded, ports };
}
