import type { Method } from '../methods.js';
import { durationLike, durationOrZero } from './parsed.js';
import { choice, integer } from './scalars.js';
import { section } from './section.js';

const EXACT_TTL = 'The same as `ttl`, for answers that are one caller’s own.';

function methodTtl(method: Method, ttl: string, exactTtl?: string) {
  return section(`TTLs of ${method}, both API versions.`, {
    ttl: durationOrZero(ttl, 'How long an answer is fresh.'),
    swr: durationOrZero('30s', 'How long after that it is still given at once, and refreshed behind.'),
    exactTtl: exactTtl === undefined ? durationLike('ttl', EXACT_TTL) : durationOrZero(exactTtl, EXACT_TTL),
  });
}

const methods = {
  ListApplications: methodTtl('ListApplications', '60s'),
  // Daemons poll every 60 s: with less than that, an answer of one's own would never be fresh when it is asked for.
  ListSchedulers: methodTtl('ListSchedulers', '30s', '120s'),
  GetScheduler: methodTtl('GetScheduler', '30s'),
  GetSeedPeer: methodTtl('GetSeedPeer', '30s'),
  ListSeedPeers: methodTtl('ListSeedPeers', '60s'),
  ListBuckets: methodTtl('ListBuckets', '60s'),
  GetObjectStorage: methodTtl('GetObjectStorage', '60s'),
} satisfies Record<Method, unknown>;

export const cache = section('What is remembered, and for how long.', {
  maxBytes: integer(268_435_456, { min: 1 }, 'bytes', 'Memory for answers; the longest unused go first.'),
  responseTimer: durationOrZero(
    '500ms',
    'A caller for whom there is a stale answer waits no longer than this.',
  ),
  maxStale: durationOrZero(
    '72h',
    'How old an answer may become and still be given while the managers are away.',
  ),
  sharing: choice(
    'scope',
    ['exact', 'scope', 'cidr'],
    'Which callers share an answer: nobody, those of one idc and location, or of the same network blocks.',
  ),
  emptyHold: durationOrZero(
    '10m',
    'How long a poorer answer must be the managers’ answer before it replaces a richer one.',
  ),
  negativeTtl: durationOrZero('30s', 'How long "there is none" is fresh.'),
  methods: section(
    'TTLs of each remembered method, both API versions: fresh for `ttl`, then given and refreshed behind for `swr`; `exactTtl` is the `ttl` of answers that are one caller’s own.',
    methods,
  ),
});
