/**
 * What can be wrong with a simulated manager, on command. Several may hold at once; a second fault of a kind
 * replaces the first. A killed manager is `SimulatedManager.stop()`. Texts and delays: measured on real managers.
 */
export type Fault =
  /** Accepts and never answers; new connections get no SETTINGS. Ended, it answers what it was asked meanwhile. */
  | { readonly kind: 'frozen' }
  /** Every call, health included, takes `delayMs` longer, in real time. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** INTERNAL "dial tcp …: connect: connection refused" for whatever is not in a cache. Health: SERVING. */
  | { readonly kind: 'database-dead' }
  /** No answer for whatever is not in a cache. Health: SERVING. */
  | { readonly kind: 'database-frozen' }
  /** Right answers after `delayMs`; by default every access to Redis takes 1.7 s (v2.1.55: 70 ms) over the time factor. */
  | { readonly kind: 'redis-dead'; readonly delayMs?: number }
  /** Right answers after `delayMs`; by default every access to Redis takes 3 s over the time factor: 3 to 9 s in all. */
  | { readonly kind: 'redis-frozen'; readonly delayMs?: number }
  /** RESOURCE_EXHAUSTED for everything beyond `callsPerSecond` (default 0: everything), health included. */
  | { readonly kind: 'rate-limited'; readonly callsPerSecond?: number }
  /** ListSchedulers says OK with nobody in it, as when no scheduler is active at that moment. */
  | { readonly kind: 'empty-lists' }
  /** GOAWAY on every connection that is open now; new ones live. Calls in flight finish within `graceMs` (default 1000). */
  | { readonly kind: 'connection-age'; readonly graceMs?: number }
  /** INTERNAL "Error 1040: Too many connections" for whatever is not in a cache. */
  | { readonly kind: 'too-many-connections' }
  /** INTERNAL with this text for whatever is not in a cache: "invalid connection", "bad connection". */
  | { readonly kind: 'database-error'; readonly message: string };

export type FaultKind = Fault['kind'];
