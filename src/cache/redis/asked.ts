import type { Emit } from '../../observe/events.js';
import { createCheck } from '../../redis/check.js';
import type { RedisKeys } from '../../redis/keys.js';
import { type AskedRow, readAskedRows } from './asked-replies.js';
import { ADD_ASKED, READ_ASKED } from './asked-scripts.js';
import type { RedisExchange } from './exchange.js';

/** What somebody asks, and how often. */
export interface AskedFor {
  /** Names the question; in another version of the gateway it may have another name, and then it lies there twice. */
  readonly key: string;
  readonly path: string;
  /** The request as somebody sent it. */
  readonly message: Buffer;
  /** How often, as of when it was last asked. */
  readonly weight: number;
  /** Since it was last asked. */
  readonly ageMs: number;
}

/** What callers of all replicas ask for. Nothing here rejects. */
export interface AskedInRedis {
  /** True: Redis has taken all of it. */
  add(asked: readonly AskedFor[]): Promise<boolean>;
  /** Most used first, as much as could be had while `goOn`; undefined: Redis could not say anything. */
  read(goOn: () => boolean): Promise<readonly AskedFor[] | undefined>;
}

export interface AskedInRedisOptions {
  readonly secret: string;
  readonly fleetId: string;
  readonly keys: RedisKeys;
  readonly exchange: Pick<RedisExchange, 'read' | 'write'>;
  /** How long after its last asking it lies there. */
  readonly lifetimeMs: number;
  /** An asking counts half as much after this. */
  readonly halfLifeMs: number;
  /** No more questions than this. */
  readonly most?: number;
  readonly emit: Emit;
}

/** A fleet of 10,000 daemons with questions of their own takes about 6 MB. */
const MOST_ASKED = 20_000;
/** What a caller asks takes about 100 bytes; larger ones are rare, and not worth a place. */
const LARGEST_REQUEST_BYTES = 1_024;
/** With its check and in base64. */
const LARGEST_SEALED_BYTES = 2_048;
const LONGEST_FIELD = 64;
/** One script holds up everybody else at Redis. */
const AT_ONCE = 128;

/**
 * Signed as answers are: who can write to Redis but does not know the secret cannot make a gateway ask for anything. How often, and when, is not
 * signed: Redis reckons it up.
 */
export function createAskedInRedis(options: AskedInRedisOptions): AskedInRedis {
  const { exchange, keys, halfLifeMs, most = MOST_ASKED, emit } = options;
  const check = createCheck({ ...options, purpose: 'dfmgw questions in Redis' });
  const [, , questions] = keys.asked;
  const bounds = [options.lifetimeMs, most, halfLifeMs, 2 * AT_ONCE].map((bound) =>
    String(Math.floor(bound)),
  );

  const toArgs = ({ key, path, message, weight, ageMs }: AskedFor): readonly string[] => {
    const body = JSON.stringify([path, message.toString('base64')]);
    return [
      key,
      String(Math.max(0, Math.round(ageMs))),
      // Its logarithm is taken.
      String(Math.max(weight, 1e-9)),
      `${check.of(questions, key, Buffer.from(body))} ${body}`,
    ];
  };

  const opened = ({ key, weight, ageMs, sealed }: AskedRow): AskedFor | undefined => {
    const space = sealed.indexOf(' ');
    const body = sealed.subarray(space + 1);
    const isOurs = check.holds(sealed.toString('latin1', 0, Math.max(0, space)), questions, key, body);
    const question = isOurs ? parsed(body) : undefined;
    if (question === undefined)
      emit({ kind: 'redis-question-rejected', reason: isOurs ? 'unreadable' : 'check' });
    return question && { ...question, key, weight, ageMs };
  };

  return {
    async add(asked) {
      const fit = asked.filter(({ message }) => message.length <= LARGEST_REQUEST_BYTES);
      for (let at = 0; at < fit.length; at += AT_ONCE) {
        const args = fit.slice(at, at + AT_ONCE).flatMap(toArgs);
        if ((await exchange.write('add-asked', ADD_ASKED, keys.asked, [...bounds, ...args])) === undefined)
          return false;
      }
      return true;
    },
    async read(goOn) {
      const found: AskedFor[] = [];
      for (let from = 0; from < most && goOn(); from += AT_ONCE) {
        const args = [from, AT_ONCE, LONGEST_FIELD, LARGEST_SEALED_BYTES].map(String);
        const rows = await exchange.read('read-asked', READ_ASKED, keys.asked, args, (reply) =>
          readAskedRows(reply, halfLifeMs),
        );
        for (const row of rows?.usable ?? []) found.push(...[opened(row)].filter((one) => one !== undefined));
        if (rows === undefined && from === 0) return undefined;
        if (rows === undefined || rows.count < AT_ONCE) break;
      }
      return found;
    },
  };
}

function parsed(body: Buffer): { path: string; message: Buffer } | undefined {
  try {
    const [path, message] = JSON.parse(body.toString('utf8')) as unknown[];
    if (typeof path !== 'string' || typeof message !== 'string') return undefined;
    return { path, message: Buffer.from(message, 'base64') };
  } catch {
    // Sound, and yet no question: of another version.
    return undefined;
  }
}
