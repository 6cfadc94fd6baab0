import type { Emit } from '../../observe/events.js';
import type { Check } from '../../redis/check.js';
import type { Clock } from '../../rpc/clock.js';
import type { Known, Pending } from '../book.js';
import { pendingId } from '../pending-id.js';
import { deletionKeys, nodeKey } from '../registration.js';
import { LARGEST_VALUE_BYTES, type SealedPending, type When } from './exchange.js';
import { createSealedRecords } from './sealed-records.js';

/** Registrations as they lie in Redis, and when each was acknowledged, or the manager asked. */
export interface StampedRecords {
  /** It happens now, or did at `atMs` on the monotonic clock, or was told to Redis at `stampUs`. */
  stamp(record: Known | Pending, at: { readonly atMs: number } | { readonly stampUs: number }): void;
  when(record: Known | Pending): When;
  /** undefined: too large to be told. */
  sealPending(pending: Pending): SealedPending | undefined;
  sealKnown(known: Known): Buffer | undefined;
  /** undefined: nothing is there, or nothing that may be used, which is told. */
  openKnown(node: string, value: Buffer | undefined): Known | undefined;
  openPending(node: string, value: Buffer | undefined, stampUs: number): Pending | undefined;
}

/** Known from a file that does not say since when: every deletion is newer. */
const LONG_AGO: When = { stampUs: 1 };

export function createStampedRecords(options: {
  readonly check: Check;
  readonly name: string;
  readonly clock: Clock;
  readonly emit: Emit;
}): StampedRecords {
  const { check, name, clock, emit } = options;
  const sealed = createSealedRecords(check, name);
  const stamps = new WeakMap<Known | Pending, { readonly atMs: number } | { readonly stampUs: number }>();

  const open = (node: string, value: Buffer | undefined): Known | Pending | undefined => {
    if (value === undefined) return undefined;
    const record = sealed.open(node, value);
    if (typeof record !== 'string') return record;
    emit({ kind: 'redis-registration-rejected', reason: record });
    return undefined;
  };
  const bounded = (value: Buffer): Buffer | undefined =>
    value.length > LARGEST_VALUE_BYTES ? undefined : value;
  const when = (record: Known | Pending): When => {
    const at = stamps.get(record);
    if (at !== undefined) return 'atMs' in at ? { ageMs: clock.nowMs() - at.atMs } : at;
    if (record.kind === 'known') return LONG_AGO;
    // From the disk: another process acknowledged it.
    return { ageMs: Math.max(0, clock.wallMs() - record.acknowledgedAtWallMs) };
  };

  return {
    stamp: (record, at) => void stamps.set(record, at),
    when,
    sealPending(pending) {
      const { node, ip } = pending.registration;
      const value = bounded(sealed.seal(pending));
      if (value === undefined) return undefined;
      const named = { node: nodeKey(node), deletions: deletionKeys(node, ip) };
      return { ...named, id: pendingId(pending), value, when: when(pending) };
    },
    sealKnown: (known) => bounded(sealed.seal(known)),
    openKnown(node, value) {
      const record = open(node, value);
      return record?.kind === 'known' ? record : undefined;
    },
    openPending(node, value, stampUs) {
      const record = open(node, value);
      if (record?.kind !== 'pending') return undefined;
      stamps.set(record, { stampUs });
      return record;
    },
  };
}
