import { createHash } from 'node:crypto';
import type { Pending } from './book.js';
import { nodeKey } from './registration.js';

const ids = new WeakMap<Pending, string>();

/** The same for an acknowledged registration wherever it is written down: on disks, in Redis, in any replica's memory. */
export function pendingId(pending: Pending): string {
  const known = ids.get(pending);
  if (known !== undefined) return known;
  const { registration, acknowledgedAtWallMs } = pending;
  const { node, path, request } = registration;
  const id = createHash('sha256')
    .update(JSON.stringify([nodeKey(node), path, acknowledgedAtWallMs]))
    .update(request)
    .digest('base64url');
  ids.set(pending, id);
  return id;
}
