import type { Config } from '../config/config.js';
import type { Upstream } from '../upstream/upstream.js';
import { ALONE } from './claims.js';
import type { Reconcile } from './context.js';
import { createOpeningPace } from './opening-pace.js';
import { createShield, type Shield, type ShieldOptions } from './shield.js';

/** Measured: a manager that works says so within milliseconds (protocol: 0 of 40 ends came late once the status was there). */
const STATUS_TIMEOUT_MS = 1_000;

/** Nobody looks. */
const UNSEEN: Reconcile = {
  opened: () => undefined,
  closed: () => undefined,
  stop: () => undefined,
};

export interface KeepAliveOptions
  extends Pick<ShieldOptions, 'decoder' | 'classify' | 'replayNode' | 'came' | 'clock' | 'random' | 'emit'> {
  readonly config: Pick<Config, 'keepAlive'>;
  readonly upstream: Upstream;
}

/** The shield and all it needs, wired together. */
export function createKeepAlive(options: KeepAliveOptions): Shield {
  const { config, upstream } = options;
  return createShield({
    ...options,
    forward: (call) => upstream.forward(call),
    claims: ALONE,
    pace: createOpeningPace(options),
    reconcile: UNSEEN,
    graceMs: config.keepAlive.graceMs,
    statusTimeoutMs: STATUS_TIMEOUT_MS,
  });
}
