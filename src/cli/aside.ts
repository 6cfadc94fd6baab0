import { classify } from '../breaker/classify.js';
import { createSnapshot } from '../cache/snapshot/snapshot.js';
import type { Config } from '../config/config.js';
import { createDataPath } from '../data-path.js';
import { systemBootClock } from '../durable/boot-clock.js';
import { statusOfError } from '../errors.js';
import { createBus } from '../observe/bus.js';
import type { GatewayEvent } from '../observe/events.js';
import { createLog } from '../observe/log.js';
import { createClassifier } from '../route/classify.js';
import { methodLabel } from '../route/method-table.js';
import { decodeRequest, requestFieldNumbers } from '../route/proto.js';
import { provenance } from '../route/reply.js';
import { type Clock, systemClock } from '../rpc/clock.js';
import { NO_METADATA } from '../rpc/metadata.js';
import type { Question } from '../rpc/question.js';
import type { Read } from '../rpc/read.js';
import { createUpstream } from '../upstream/create-upstream.js';
import type { EncodedRequest } from '../warmup/requests.js';
import type { GatewayCaller, Said } from './gateway-caller.js';

/**
 * What answers reads in a gateway, for a command: it serves nobody, holds no node's stream, makes up for no registration, writes
 * no file, and takes what it asks for no sign that somebody wants it.
 */
export interface Aside extends GatewayCaller {
  /** Never rejects. */
  start(): Promise<void>;
  /** What callers of all replicas ask for, most used first; undefined: Redis could not say. */
  learned(): Promise<readonly EncodedRequest[] | undefined>;
  /** Does the answer to it lie in Redis? It is laid there if not. */
  share(request: EncodedRequest): Promise<boolean>;
  /** What was last wrong with Redis. */
  readonly redisTrouble: string | undefined;
  /** What is being written to Redis is there then, or could not be. */
  stop(): Promise<void>;
}

export interface AsideOptions {
  readonly config: Config;
  /** Whether what `snapshot.dir` holds is read, too. */
  readonly snapshot: boolean;
  readonly logDestination: { write(line: string): void };
  readonly clock?: Clock;
  readonly random?: () => number;
}

export function createAside(options: AsideOptions): Aside {
  const { config, clock = systemClock, random = Math.random } = options;
  const log = createLog({ level: 'error', clock, destination: options.logDestination });
  let redisTrouble: string | undefined;
  const subscribers = [
    log.subscriber,
    (event: GatewayEvent): void => {
      redisTrouble = troubleIn(event) ?? redisTrouble;
    },
  ];
  const emit = createBus(subscribers, (error) =>
    log.subscriber({ kind: 'internal-error', where: 'a subscriber of events', error }),
  );
  const upstream = createUpstream({
    ...{ managers: config.managers, limits: config.server.limits },
    ...{ classify, methodLabel, clock, random, emit },
  });
  const dataPath = createDataPath({ config, upstream, clock, random, emit });
  const { fleet, cache, snapshot } = config;
  const classifier = createClassifier({ fleetId: fleet.id, decoder: { decodeRequest, requestFieldNumbers } });
  const questionOf = classifier.question;
  const kept = createSnapshot({
    ...dataPath,
    limits: { ...snapshot, ...cache },
    directory: readOnly(options.snapshot ? snapshot.dir : ''),
    fleetId: fleet.id,
    clock,
    bootClock: systemBootClock,
    emit,
  });
  return {
    async start() {
      await Promise.all([kept.load(), dataPath.redis.start()]);
      upstream.start();
    },
    async call(path, message, timeoutMs): Promise<Said> {
      const question = questionOf(path, message);
      if (question === undefined) return said(statusOfError(new Error('no read')));
      try {
        const answer = await dataPath.answerBehind(read(question, message, clock.nowMs() + timeoutMs));
        const { status, message: bytes } = answer.reply;
        return said(status, bytes, provenance(answer, clock.nowMs()));
      } catch (error) {
        return said(statusOfError(error));
      }
    },
    close: () => undefined,
    async learned() {
      const asked = await dataPath.redis.asked?.read(() => true);
      return asked?.filter(({ path, message }) => questionOf(path, message)?.secret === false);
    },
    share(request) {
      const question = questionOf(request.path, request.message);
      return question === undefined
        ? Promise.resolve(false)
        : dataPath.share(read(question, request.message, undefined));
    },
    get redisTrouble() {
      return redisTrouble;
    },
    async stop() {
      await upstream.stop(clock.nowMs());
      await dataPath.redis.settled();
      dataPath.stop();
      log.flush();
    },
  };
}

function troubleIn(event: GatewayEvent): string | undefined {
  if (event.kind === 'redis-failed') return `${event.operation}, ${event.reason}: ${event.detail}`;
  return event.kind === 'redis-store-ended' && event.result === 'too-large'
    ? 'it is larger than what is kept there'
    : undefined;
}

function read(question: Question, message: Buffer, deadlineMs: number | undefined): Read {
  return { question, message, metadata: NO_METADATA, deadlineMs, signal: undefined, attempts: 'several' };
}

function said(status: Said['status'], message?: Buffer, trailers: object = {}): Said {
  return { status, message, trailers: trailers as Said['trailers'] };
}

/** Another gateway may be writing into it. */
function readOnly(dir: string) {
  const nothing = (): Promise<void> => Promise.resolve();
  return { dir, held: false, take: nothing, release: nothing, whenTaken: () => undefined };
}
