import { createHash } from 'node:crypto';

/** Who holds which node's KeepAlive stream; `keepalive/claims/scripts.ts` says what each is. */
export interface ClaimKeys {
  /** In the order of the scripts. */
  readonly all: readonly string[];
  readonly records: string;
  readonly channel: string;
}

/** The names under which one fleet's things lie in Redis. */
export interface RedisKeys {
  answer(schema: number, questionKey: string): string;
  readonly voids: string;
  readonly deletions: string;
  readonly channel: string;
  readonly claims: ClaimKeys;
  /** How often is asked for what, when last, and what it is. */
  readonly asked: readonly [use: string, last: string, questions: string];
  /** What replicas know of registrations; `registrations/shared/scripts.ts` says what each is. */
  readonly registrations: {
    /** In the order of the scripts. */
    readonly all: readonly string[];
    turn(of: string): string;
  };
}

/** Of the marks of writes and the channel: one more when they change their meaning. */
const MARKS_SCHEMA = 1;
const CLAIMS_SCHEMA = 1;
const CLAIMS = [
  'leases',
  'holders',
  'records',
  'wanted',
  'late',
  'offered',
  'replicas',
  'takers',
  'generation',
];
/** Of what callers ask for: a gateway of another one learns anew. */
const ASKED_SCHEMA = 1;
const REGISTRATIONS_SCHEMA = 1;
const REGISTRATIONS = [
  'known',
  'pending',
  'known-at',
  'pending-at',
  'settled-at',
  'deleted-at',
  'settled',
  'generation',
];

/**
 * `{keyPrefix}:{schema}:{fleet.id}:…`. The fleet stands in braces, the hash tag of Redis Cluster: all of a fleet is on one node,
 * so that one clock orders it and one script sees it. Its id is encoded: no two fleets share a name.
 */
export function redisKeys({ keyPrefix, fleetId }: { keyPrefix: string; fleetId: string }): RedisKeys {
  const fleet = `{${encodeURIComponent(fleetId)}}`;
  const name = (schema: number, rest: string): string => `${keyPrefix}:${schema}:${fleet}:${rest}`;
  const claims = (part: string): string => name(CLAIMS_SCHEMA, `claims:${part}`);
  const registrations = (part: string): string => name(REGISTRATIONS_SCHEMA, `registrations:${part}`);
  return {
    answer: (schema, questionKey) => name(schema, `answer:${questionKey}`),
    voids: name(MARKS_SCHEMA, 'voids'),
    deletions: name(MARKS_SCHEMA, 'deletions'),
    channel: name(MARKS_SCHEMA, 'news'),
    claims: { all: CLAIMS.map(claims), records: claims('records'), channel: claims('news') },
    asked: [name(ASKED_SCHEMA, 'asked-use'), name(ASKED_SCHEMA, 'asked-last'), name(ASKED_SCHEMA, 'asked')],
    registrations: {
      all: REGISTRATIONS.map(registrations),
      turn: (of) => registrations(`turn:${createHash('sha256').update(of).digest('base64url')}`),
    },
  };
}
