import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config.js';

/** What a reload has done; keys as the YAML names them, never their values: some are secrets. */
export interface Change {
  readonly applied: readonly string[];
  /** Changed in the file, and still running as before. */
  readonly needRestart: readonly string[];
}

/** The configuration that runs. */
export interface RunningConfig {
  /**
   * One object for the whole life of the process, whose live keys take new values in place: who keeps the object and reads
   * a key when it is needed has the present value.
   */
  readonly config: Config;
  apply(next: Config): Change;
}

/** Keys, and sections with all that is in them, that everyone who uses them reads when needed. The rest needs a restart. */
const LIVE: readonly string[] = [
  'mode',
  'log.level',
  'managers.addrs',
  'managers.maxInFlight',
  'managers.tls',
  'server.maxConnections',
  'server.maxConcurrentStreams',
  'server.maxMetadataBytes',
  'server.maxMessageBytes',
  'server.ping',
  'server.limits',
  'server.drainTimeout',
  'server.tls',
  'server.clients',
  'admin.hosts',
  'redis.tls',
  'cache.responseTimer',
  'cache.maxStale',
  'cache.emptyHold',
  'cache.negativeTtl',
  'cache.methods',
  'retry',
];

type Tree = { [key: string]: unknown };

export function createRunningConfig(first: Config): RunningConfig {
  const config = structuredClone(first);
  return {
    config,
    apply(next) {
      const applied: string[] = [];
      const needRestart: string[] = [];
      const fixed = fixedIn(config, next);
      for (const { name, path, value } of leavesOf(next as unknown as Tree)) {
        const { holder, key } = placeOf(config as unknown as Tree, path);
        if (isDeepStrictEqual(holder[key], value)) continue;
        if (!isLive(name) || isFixed(name, fixed)) {
          needRestart.push(name);
          continue;
        }
        holder[key] = structuredClone(value);
        applied.push(name);
      }
      return { applied, needRestart };
    },
  };
}

/**
 * Certificates change under a listener or a client that speaks TLS; whether it does, and of whom it asks one, does not. Rules about
 * certificates that callers are not asked for yet would refuse everybody, and wait, too.
 */
function fixedIn(config: Config, next: Config): readonly string[] {
  const isListener = ({ server: { tls } }: Config): string => `${tls.cert !== ''} ${tls.clientAuth}`;
  return [
    ...(isListener(config) === isListener(next) ? [] : ['server.tls', 'server.clients']),
    ...(config.redis.tls.enable === next.redis.tls.enable ? [] : ['redis.tls']),
  ];
}

function isFixed(name: string, fixed: readonly string[]): boolean {
  return fixed.some((section) => name.startsWith(`${section}.`));
}

function isLive(name: string): boolean {
  return LIVE.some((live) => name === live || name.startsWith(`${live}.`));
}

interface Leaf {
  readonly name: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

/** A list is one value. Durations are `…Ms` in here, and have no unit in their name in the YAML. */
function leavesOf(tree: Tree, above: readonly string[] = []): Leaf[] {
  return Object.entries(tree).flatMap(([key, value]) => {
    const path = [...above, key];
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return leavesOf(value as Tree, path);
    return [{ name: path.join('.').replace(/Ms$/, ''), path, value }];
  });
}

function placeOf(tree: Tree, path: readonly string[]): { holder: Tree; key: string } {
  const holder = path.slice(0, -1).reduce((at, key) => at[key] as Tree, tree);
  return { holder, key: path.at(-1) ?? '' };
}
