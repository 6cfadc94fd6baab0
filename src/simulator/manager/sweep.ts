import type { Timer } from '../../rpc/clock.js';
import type { ManagerParts } from './answerer.js';
import type { NodeName } from './manager-record.js';
import { Refusal } from './refusal.js';
import type { Asking } from './stores.js';

/** Real durations (source: the jobs of v2.5), divided by the time factor. A scheduler beats every 5 s. */
const SWEEP_INTERVAL_MS = 60 * 60_000;
const BEAT_LIMIT_MS = 3 * 5_000;
const INACTIVE_LIMIT_MS = 30 * 60_000;

/** The hourly tidying of v2.5. It tells no cache. Returns its owner's handle. */
export function startSweeping(parts: ManagerParts, intervalMs = SWEEP_INTERVAL_MS / parts.timeFactor): Timer {
  const { clock } = parts.record;
  let isCancelled = false;
  let timer: Timer;
  const schedule = (): void => {
    timer = clock.setTimer(intervalMs, () => {
      void sweep(parts).finally(() => {
        if (!isCancelled) schedule();
      });
    });
  };
  schedule();
  return {
    cancel() {
      isCancelled = true;
      timer.cancel();
    },
  };
}

/**
 * A scheduler whose last beat is older than three intervals becomes inactive; who has been inactive for half an hour
 * goes. Nobody looks at an active seed peer: a dead one stays for ever.
 */
export async function sweep(parts: ManagerParts): Promise<void> {
  const { record, timeFactor } = parts;
  const asking: Asking = { signal: parts.lifetime, redisDelayPaid: false };
  const nowMs = record.clock.nowMs();
  try {
    await parts.stores.write(asking, () => {
      for (const row of record.schedulers) {
        const node: NodeName = { kind: 'scheduler', ...row };
        const isSilent = nowMs - row.lastBeatAtMs > BEAT_LIMIT_MS / timeFactor;
        if (row.state === 'active' && isSilent) record.setState(node, 'inactive', 'sweep');
      }
      for (const node of inactiveNodes(parts)) {
        const sinceMs = record.stateHistory(node).at(-1)?.atMs ?? nowMs;
        if (nowMs - sinceMs > INACTIVE_LIMIT_MS / timeFactor) record.deleteNode(node);
      }
    });
  } catch (error) {
    // No database, no sweep; the next one comes in an hour.
    if (!(error instanceof Refusal)) throw error;
  }
}

function inactiveNodes({ record }: ManagerParts): NodeName[] {
  const schedulers = record.schedulers.map((row) => ({ kind: 'scheduler' as const, ...row }));
  const seedPeers = record.seedPeers.map((row) => ({ kind: 'seed-peer' as const, ...row }));
  return [...schedulers, ...seedPeers].filter((row) => row.state === 'inactive');
}
