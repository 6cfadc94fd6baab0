import type { CallerEvent } from './events/caller-event.js';
import type { ClaimEvent } from './events/claim-event.js';
import type { DiskEvent } from './events/disk-event.js';
import type { ManagerEvent } from './events/manager-event.js';
import type { MemoryEvent } from './events/memory-event.js';
import type { NodeEvent } from './events/node-event.js';
import type { ProcessEvent } from './events/process-event.js';
import type { RedisEvent } from './events/redis-event.js';
import type { WorldEvent } from './events/world-event.js';

export type * from './events/caller-event.js';
export type * from './events/claim-event.js';
export type * from './events/disk-event.js';
export type * from './events/manager-event.js';
export type * from './events/memory-event.js';
export type * from './events/node-event.js';
export * from './events/process-event.js';
export type * from './events/redis-event.js';
export type * from './events/world-event.js';

/**
 * Everything worth knowing that happens in the gateway, as one union. Stages emit; metrics, logs and later the
 * admin page subscribe. Nothing here is a host name or an address of a caller, but in `detail`, which is for logs only; `manager` is the position of the
 * address in `managers.addrs` ("0", "1"), which is a closed set, `address` is for logs only.
 */
export type GatewayEvent =
  | CallerEvent
  | MemoryEvent
  | DiskEvent
  | WorldEvent
  | NodeEvent
  | ClaimEvent
  | ManagerEvent
  | RedisEvent
  | ProcessEvent;

export type Emit = (event: GatewayEvent) => void;
