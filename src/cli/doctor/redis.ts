import { Redis } from 'ioredis';
import { formatHostPort, parseHostPort } from '../../config/addresses.js';
import type { Config } from '../../config/config.js';
import { dialError } from '../../redis/dial-error.js';
import { tlsTowardsRedis } from '../../redis/tls.js';
import { type Finding, type Findings, findingsAbout, inMs, textOf } from './finding.js';

const COMMAND_MS = 3_000;
const PINGS = 5;
const SKEW_MS = 5_000;
const NEARLY_FULL = 0.9;

type RedisConfig = Config['redis'];
type Asked = { readonly finding: Finding; readonly redis: Redis | undefined };

/** Every address of `redis.addrs`: is it there, is it what it should be, and may we do there what we need to? */
export async function checkRedis(config: RedisConfig, fleetId: string): Promise<Finding[]> {
  if (config.addrs.length === 0) return [];
  const found = await Promise.all(
    config.addrs.map((addr) =>
      config.mode === 'sentinel' ? checkSentinel(config, fleetId, addr) : checkServer(config, fleetId, addr),
    ),
  );
  return found.flat();
}

async function checkServer(config: RedisConfig, fleetId: string, addr: string): Promise<Finding[]> {
  const findings = findingsAbout(addr);
  const { finding, redis } = await connect(findings, config, addr, config.username, config.password);
  if (redis === undefined) return [finding];
  try {
    return [finding, ...(await examine(findings, config, fleetId, redis))];
  } catch (error) {
    return [finding, refused(findings, textOf(error))];
  } finally {
    redis.disconnect();
  }
}

/** Asks the Sentinel who is master, and looks at that. */
async function checkSentinel(config: RedisConfig, fleetId: string, addr: string): Promise<Finding[]> {
  const findings = findingsAbout(`Sentinel ${addr}`);
  const { finding, redis } = await connect(findings, { ...config, db: 0 }, addr, '', config.sentinelPassword);
  if (redis === undefined) return [finding];
  try {
    const master = await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', config.masterName);
    if (!Array.isArray(master)) {
      const advice = 'compare redis.masterName with "sentinel monitor" in the configuration of Sentinel';
      return [finding, findings.failure('Redis', `knows no master ${config.masterName}`, advice)];
    }
    const at = formatHostPort({ host: String(master[0]), port: Number(master[1]) });
    return [finding, ...(await checkServer(config, fleetId, at))];
  } catch (error) {
    return [finding, refused(findings, textOf(error))];
  } finally {
    redis.disconnect();
  }
}

async function connect(
  findings: Findings,
  config: RedisConfig,
  addr: string,
  username: string,
  password: string,
): Promise<Asked> {
  const tls = tlsTowardsRedis(config);
  const { db, mode } = config;
  const redis = new Redis({
    ...parseHostPort(addr),
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(tls && { tls }),
    db: mode === 'cluster' ? 0 : db,
    lazyConnect: true,
    connectTimeout: COMMAND_MS,
    commandTimeout: COMMAND_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let last: unknown;
  // Says more than what connect() rejects with.
  redis.on('error', (error) => {
    last = error;
  });
  const startedMs = performance.now();
  try {
    await redis.connect();
    await redis.ping();
    const found = `connected in ${inMs(performance.now() - startedMs)}`;
    return { finding: findings.ok('Redis', found), redis };
  } catch (error) {
    redis.disconnect();
    const said = last ?? error;
    const dialled = { tls: config.tls.enable, spokenWith: false, inHandshake: false };
    const told = said instanceof Error ? dialError(said, dialled) : said;
    return { finding: refused(findings, textOf(told)), redis: undefined };
  }
}

/** Redis's own words, and what they call for. */
function refused(findings: Findings, said: string): Finding {
  const advice = /WRONGPASS|NOAUTH|invalid username|invalid password/i.test(said)
    ? 'look at redis.username and redis.password'
    : /NOPERM/.test(said)
      ? 'the user needs ~<keyPrefix>:*, &<keyPrefix>:* and +@all, or the commands of docs/decisions/0012-redis.md'
      : /READONLY/.test(said)
        ? 'it is a replica: name the master, or use Sentinel'
        : /OOM/.test(said)
          ? 'it is full: raise maxmemory'
          : /LOADING/.test(said)
            ? 'it reads its file still: wait'
            : 'without it nothing fails, but replicas share nothing: look at redis.addrs, redis.tls, and whether it runs';
  return findings.failure('Redis', said, advice);
}

async function examine(
  findings: Findings,
  config: RedisConfig,
  fleetId: string,
  redis: Redis,
): Promise<Finding[]> {
  const made: (Finding | undefined)[] = [];
  const latencyMs = await medianPing(redis);
  const slow = latencyMs > config.timeoutMs / 2;
  const latency = `${inMs(latencyMs)}, the middle of ${PINGS} pings; redis.timeout is ${config.timeoutMs} ms`;
  made.push(
    slow
      ? findings.warning(
          'Redis latency',
          latency,
          'too slow to be of use: look at its load, or raise redis.timeout',
        )
      : findings.ok('Redis latency', latency),
  );
  const info = parseInfo(await redis.info());
  made.push(roleFinding(findings, config, info));
  made.push(memoryFinding(findings, info));
  made.push(await mayWrite(findings, config, fleetId, redis, info.get('role') === 'slave'));
  made.push(await skewFinding(findings, redis));
  return made.filter((one) => one !== undefined);
}

async function medianPing(redis: Redis): Promise<number> {
  const took: number[] = [];
  for (let turn = 0; turn < PINGS; turn++) {
    const startedMs = performance.now();
    await redis.ping();
    took.push(performance.now() - startedMs);
  }
  return took.toSorted((one, other) => one - other)[Math.floor(PINGS / 2)] ?? 0;
}

type Info = ReadonlyMap<string, string>;

function parseInfo(text: string): Info {
  const pairs = text.split('\n').map((line) => line.trim().split(':', 2));
  return new Map(pairs.filter((pair): pair is [string, string] => pair.length === 2));
}

function roleFinding(findings: Findings, { mode }: RedisConfig, info: Info): Finding {
  const version = `version ${info.get('redis_version') ?? '?'}`;
  const is = info.get('redis_mode') ?? 'standalone';
  const wanted = mode === 'cluster' ? 'cluster' : 'standalone';
  if (is !== wanted) {
    const advice = `set redis.mode to ${is === 'cluster' ? 'cluster' : 'single'}`;
    return findings.failure('Redis role', `${version}, mode ${is}, where redis.mode is ${mode}`, advice);
  }
  const role = info.get('role') ?? '?';
  if (role === 'slave' && mode !== 'cluster') {
    return findings.failure(
      'Redis role',
      `${version}, a read-only replica of ${info.get('master_host')}`,
      'name the master, or use Sentinel',
    );
  }
  return findings.ok('Redis role', `${version}, ${is}, ${role}`);
}

function memoryFinding(findings: Findings, info: Info): Finding {
  const used = Number(info.get('used_memory') ?? 0);
  const max = Number(info.get('maxmemory') ?? 0);
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  const found = `${mib(used)} used of ${max === 0 ? 'no limit' : mib(max)}, policy ${policy}`;
  if (max > 0 && policy !== 'noeviction') {
    return findings.warning(
      'Redis memory',
      found,
      'it evicts: what replicas share may vanish; give it a memory of its own with noeviction',
    );
  }
  return max > 0 && used > max * NEARLY_FULL
    ? findings.warning('Redis memory', found, 'nearly full: raise maxmemory')
    : findings.ok('Redis memory', found);
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;
}

/** Writes a key of ours that is gone within a second, by a script, as the gateway does. */
async function mayWrite(
  findings: Findings,
  { keyPrefix }: RedisConfig,
  fleetId: string,
  redis: Redis,
  isReplica: boolean,
): Promise<Finding | undefined> {
  // Its role says so already; one line is enough.
  if (isReplica) return undefined;
  const key = `${keyPrefix}:1:{${encodeURIComponent(fleetId)}}:doctor`;
  try {
    await redis.eval("return redis.call('SET', KEYS[1], '1', 'PX', 1000)", 1, key);
    return findings.ok('Redis ACL', `a script may write under ${keyPrefix}:`);
  } catch (error) {
    // The key lies with another node of the cluster: that one is asked, too.
    if (/MOVED/.test(textOf(error))) return undefined;
    return refused(findings, textOf(error));
  }
}

async function skewFinding(findings: Findings, redis: Redis): Promise<Finding> {
  const askedMs = Date.now();
  const [seconds] = await redis.time();
  const skewMs = Number(seconds) * 1_000 - askedMs;
  const found = `Redis is ${(Math.abs(skewMs) / 1_000).toFixed(0)} s ${skewMs < 0 ? 'behind' : 'ahead of'} this machine`;
  if (Math.abs(skewMs) <= SKEW_MS)
    return findings.ok('clock', `Redis and this machine agree to ${SKEW_MS / 1_000} s`);
  return findings.warning(
    'clock',
    found,
    'answers are ordered by the clock of Redis alone, but certificates are not: set the clocks (NTP)',
  );
}
