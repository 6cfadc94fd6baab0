import type { EnvelopeSchema } from '../../src/cache/redis/envelope.js';
import type { Config, Mode } from '../../src/config/config.js';
import { createDataPath, type DataPath } from '../../src/data-path.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import { createClassifier } from '../../src/route/classify.js';
import { decodeRequest, requestFieldNumbers } from '../../src/route/proto.js';
import type { Reply, UnaryRequest } from '../../src/rpc/call.js';
import { type Clock, systemClock } from '../../src/rpc/clock.js';
import { NO_METADATA } from '../../src/rpc/metadata.js';
import type { Question } from '../../src/rpc/question.js';
import type { Read, ReadAnswer } from '../../src/rpc/read.js';
import type { Upstream } from '../../src/upstream/upstream.js';
import { asCallersAre, configOf, requestOf } from './data-path.js';
import { watchEvents } from './event-watch.js';

/** A manager for several replicas: answers each attempt by `auto`, which may take its time. */
export interface SharedManager {
  auto: (request: UnaryRequest) => Reply | Error | Promise<Reply | Error>;
  readonly asked: string[];
}

/** One replica: the stages of a read with a real Redis behind them. */
export interface Replica {
  readonly path: DataPath;
  readonly config: Config;
  readonly events: GatewayEvent[];
  ask(method: string, fields: object): Promise<ReadAnswer>;
  read(method: string, fields: object): Read;
  questionOf(path: string, message: Buffer): Question | undefined;
  of<K extends GatewayEvent['kind']>(kind: K): Extract<GatewayEvent, { kind: K }>[];
  /** Resolves with the first event, past or to come, that `matches`. */
  seen(matches: (event: GatewayEvent) => boolean): Promise<GatewayEvent>;
  stop(): void;
}

/** A clock of its own: another origin, another wall. */
export class OffsetClock implements Clock {
  #originMs: number;
  wallOffsetMs: number;

  constructor(originMs: number, wallOffsetMs: number) {
    this.#originMs = originMs;
    this.wallOffsetMs = wallOffsetMs;
  }
  nowMs(): number {
    return systemClock.nowMs() + this.#originMs;
  }
  /** As if so much time had passed here. */
  pass(ms: number): void {
    this.#originMs += ms;
  }
  wallMs(): number {
    return systemClock.wallMs() + this.wallOffsetMs;
  }
  setTimer(delayMs: number, fire: () => void): ReturnType<Clock['setTimer']> {
    return systemClock.setTimer(delayMs, fire);
  }
}

export async function startReplica(options: {
  readonly manager: SharedManager;
  readonly redis: string;
  readonly yaml?: string;
  readonly fleet?: string;
  readonly clock?: Clock;
  /** Of Redis; long, where it is not what is tested, because the machine is shared. */
  readonly timeout?: string;
  readonly sets?: readonly string[];
  /** See `ENVELOPE_SCHEMAS`. */
  readonly forms?: readonly EnvelopeSchema[];
  readonly mode?: Mode;
}): Promise<Replica> {
  const { manager, clock = systemClock } = options;
  const { events, subscriber, seen } = watchEvents();
  const fleet = options.fleet ?? 'f1';
  const config = configOf(options.yaml ?? '', [
    `fleet.id=${JSON.stringify(fleet)}`,
    `redis.addrs=["${options.redis}"]`,
    `redis.timeout=${options.timeout ?? '5s'}`,
    ...(options.sets ?? []),
  ]);
  const path = createDataPath({
    config,
    upstream: upstreamTo(manager, clock),
    clock,
    random: () => 0.5,
    mode: () => options.mode ?? 'answer',
    ...(options.forms && { redisForms: options.forms }),
    emit: subscriber,
  });
  await path.redis.start();
  const classifier = createClassifier({ fleetId: fleet, decoder: { decodeRequest, requestFieldNumbers } });
  const read = (method: string, fields: object): Read => {
    const fullPath = `/manager.v2.Manager/${method}`;
    const message = requestOf(fullPath, fields);
    const question = classifier.question(fullPath, message);
    if (question === undefined) throw new Error(`${fullPath} asks nothing`);
    return { question, metadata: {}, message, deadlineMs: undefined, signal: undefined, attempts: 'several' };
  };
  return {
    path,
    config,
    events,
    read,
    questionOf: (fullPath, message) => classifier.question(fullPath, message),
    ask: (method, fields) => asCallersAre(path, read(method, fields)),
    of: (kind) => events.filter((event) => event.kind === kind) as never,
    seen,
    stop: () => path.stop(),
  };
}

function upstreamTo(manager: SharedManager, clock: Clock): Upstream {
  return {
    healthy: true,
    async unary(request) {
      manager.asked.push(request.path);
      const askedAtMs = clock.nowMs();
      const reply = await manager.auto(request);
      if (reply instanceof Error) throw reply;
      return {
        reply: { ...reply, headers: NO_METADATA },
        askedAtMs,
        answeredAtMs: clock.nowMs(),
        manager: '0',
      };
    },
    forward: () => Promise.reject(new Error('not scripted')),
    start: () => undefined,
    stop: () => Promise.resolve(),
    describeTrouble: () => undefined,
    statuses: () => [],
    setAddresses: () => undefined,
    line: () => undefined,
    lineTo: () => undefined,
    watchLines: () => () => undefined,
  };
}
