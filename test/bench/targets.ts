import type { Messages } from './messages.js';
import { envoy } from './peers/envoy.js';
import { gateway } from './peers/gateway.js';
import { haproxy } from './peers/haproxy.js';
import { bare, stub } from './peers/limits.js';
import { nginx } from './peers/nginx.js';
import type { Target } from './peers/target.js';

/** In the order of the tables. */
export function allTargets({ answersFile }: Messages): readonly Target[] {
  return [
    gateway('gateway', 24),
    gateway('gateway-node22', 22),
    gateway('gateway-node20', 20),
    envoy,
    haproxy,
    nginx,
    bare(answersFile),
    stub(answersFile),
  ];
}

export const GATEWAYS = ['gateway', 'gateway-node22', 'gateway-node20'];
export const PROXIES = ['envoy', 'haproxy', 'nginx'];
export const LIMITS = ['bare', 'stub'];
