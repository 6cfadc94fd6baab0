import type { z } from 'zod';
import { cache } from './keys/cache.js';
import { managers } from './keys/managers.js';
import { admin, fleet, log, metrics, mode, tracing } from './keys/operation.js';
import { redis } from './keys/redis.js';
import { breaker, keepAlive, registrations, retry, snapshot, warmup } from './keys/resilience.js';
import { section } from './keys/section.js';
import { server } from './keys/server.js';

/** Every key of the configuration, in the order of the docs. */
export const schema = section('The whole configuration.', {
  fleet,
  mode,
  server,
  managers,
  cache,
  redis,
  snapshot,
  breaker,
  retry,
  keepAlive,
  registrations,
  warmup,
  metrics,
  admin,
  log,
  tracing,
});

/** The keys as the YAML names them, parsed: durations in ms, addresses split; PEM not read yet. */
export type Settings = z.output<typeof schema>;
