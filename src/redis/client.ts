import { Cluster, type ClusterOptions, Redis } from 'ioredis';
import { parseHostPort } from '../config/addresses.js';
import type { Config } from '../config/config.js';
import { dialError } from './dial-error.js';
import type { Script } from './script.js';
import { tlsTowardsRedis } from './tls.js';

/** The one place that knows ioredis. */
export interface RedisClient {
  /** Rejects with Redis's error, or that of the connection. */
  run(script: Script, keys: readonly string[], args: readonly (string | Buffer)[]): Promise<unknown>;
  /** Is there a connection that takes commands? */
  readonly ready: boolean;
  connect(): void;
  close(): void;
}

export interface RedisCommandsOptions {
  readonly config: Config['redis'];
  readonly onReady: () => void;
  readonly onError: (error: Error) => void;
}

/** With news: what replicas tell each other on a channel. */
export interface RedisClientOptions extends RedisCommandsOptions {
  readonly channel: string;
  /** Subscribed, now or again: what was said before may have been missed. */
  readonly onSubscribed: () => void;
  readonly onSubscribeError: (error: Error) => void;
  readonly onNews: (message: string) => void;
}

type Evaluate = (
  script: string,
  keyCount: number,
  ...keysAndArgs: readonly (string | Buffer)[]
) => Promise<unknown>;

const CONNECT_TIMEOUT_MS = 2_000;
/** A connection that owes an answer for this long is given up: a frozen Redis that thaws answers on a new one. */
const SOCKET_TIMEOUT_MS = 2_000;
const LONGEST_PAUSE_MS = 1_000;

/** A connection for commands, and one for the channel of news, because a subscribed connection takes no commands. */
export function createRedisClient(options: RedisCommandsOptions | RedisClientOptions): RedisClient {
  const commands = open(options.config, {
    commandTimeout: options.config.timeoutMs,
    socketTimeout: SOCKET_TIMEOUT_MS,
  });
  listen(commands, options.config, options.onError);
  commands.on('ready', options.onReady);
  const clients = 'channel' in options ? [commands, hear(options)] : [commands];
  let closed = false;
  const pauses = new Set<NodeJS.Timeout>();
  for (const client of clients) {
    // A client that has ended dials no more by itself, whatever ended it.
    client.on('end', () => {
      if (closed) return;
      const pause = setTimeout(() => {
        pauses.delete(pause);
        client.connect().catch(() => undefined);
      }, LONGEST_PAUSE_MS);
      pauses.add(pause.unref());
    });
  }
  // Both kinds of client have them; the types of ioredis 6 name them on one only.
  const scripts = commands as unknown as Record<'evalBuffer' | 'evalshaBuffer', Evaluate>;
  return {
    async run({ sha, lua }, keys, args) {
      try {
        return await scripts.evalshaBuffer(sha, keys.length, ...keys, ...args);
      } catch (error) {
        // A Redis that was started anew, or has failed over, does not know the script yet.
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
        return scripts.evalBuffer(lua, keys.length, ...keys, ...args);
      }
    },
    get ready() {
      return commands.status === 'ready';
    },
    connect() {
      // What fails is told to the listener of errors, and tried again.
      for (const client of clients) client.connect().catch(() => undefined);
    },
    close() {
      closed = true;
      for (const pause of pauses) clearTimeout(pause);
      for (const client of clients) client.disconnect();
    },
  };
}

/** Before it is ready, what is wrong may be wrong with TLS; of a cluster, the node that was asked last knows. */
function listen(client: Redis | Cluster, { tls }: Config['redis'], onError: (error: Error) => void): void {
  let spokenWith = false;
  client.on('ready', () => {
    spokenWith = true;
  });
  client.on('error', (error: Error) => {
    if (client.status === 'ready') return onError(error);
    const last =
      'lastNodeError' in error && error.lastNodeError instanceof Error ? error.lastNodeError : error;
    // Of a cluster's nodes nobody says how far they have come.
    const inHandshake = client instanceof Redis && client.status === 'connecting';
    onError(dialError(last, { tls: tls.enable, spokenWith, inHandshake }));
  });
}

function hear(options: RedisClientOptions): Redis | Cluster {
  const news = open(options.config, { autoResubscribe: false });
  listen(news, options.config, options.onSubscribeError);
  news.on('ready', () => {
    news.subscribe(options.channel).then(options.onSubscribed, options.onSubscribeError);
  });
  news.on('message', (_channel: string, message: string) => options.onNews(message));
  return news;
}

type CommonOptions = Omit<NonNullable<ClusterOptions['redisOptions']>, 'replyMapping'>;

function open(config: Config['redis'], more: CommonOptions): Redis | Cluster {
  const { username, password, sentinelPassword, timeoutMs, db } = config;
  const tls = tlsTowardsRedis(config);
  const common: CommonOptions = {
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(tls && { tls, enableTLSForSentinelMode: true }),
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: 1,
    enableAutoPipelining: false,
    autoResendUnfulfilledCommands: false,
    ...more,
  };
  const retryStrategy = (times: number): number => Math.min(times * 100, LONGEST_PAUSE_MS);
  const nodes = config.addrs.map(parseHostPort);
  const alone = { enableOfflineQueue: false, db, retryStrategy };
  switch (config.mode) {
    case 'single':
      return new Redis({ ...common, ...alone, ...nodes[0] });
    case 'sentinel':
      return new Redis({
        ...common,
        ...alone,
        sentinels: nodes,
        name: config.masterName,
        ...(sentinelPassword === '' ? {} : { sentinelPassword }),
        ...(tls && { sentinelTLS: tls }),
        sentinelRetryStrategy: retryStrategy,
        sentinelCommandTimeout: Math.max(timeoutMs, LONGEST_PAUSE_MS),
        // Not `failoverDetector`: news of a failover in the middle of a reconnect ends the client for good (ioredis 6.0).
        // A master that was demoted under the connection refuses writes from then on.
        reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
      });
    case 'cluster':
      return new Cluster(nodes, {
        lazyConnect: true,
        enableOfflineQueue: false,
        enableAutoPipelining: false,
        clusterRetryStrategy: retryStrategy,
        maxRedirections: 3,
        slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
        slotsRefreshInterval: 5_000,
        redisOptions: common,
      });
    default:
      return config.mode satisfies never;
  }
}
