import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../../config/config.js';
import { proveWritable } from '../../durable/files.js';
import { type Finding, findingsAbout, textOf } from './finding.js';

const GIB = 2 ** 30;

/** `snapshot.dir`: can what is remembered outlive the process? */
export async function checkDirectory({
  snapshot,
  cache,
}: Pick<Config, 'snapshot' | 'cache'>): Promise<Finding> {
  const { dir } = snapshot;
  if (dir === '') {
    const advice = 'set snapshot.dir, or a start while the manager is away knows nothing';
    return findingsAbout('').warning(
      'snapshot',
      'snapshot.dir is empty: nothing outlives the process',
      advice,
    );
  }
  const findings = findingsAbout(dir);
  try {
    const there = await nearest(dir);
    if (there === dir) await proveWritable(dir);
    else await access(there, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(there);
    const freeBytes = bavail * bsize;
    const made = there === dir ? 'can be written' : `will be made in ${there}`;
    const found = `${made}, ${(freeBytes / GIB).toFixed(1)} GiB free`;
    // The old file, the new one beside it, and as much again for the journal.
    return freeBytes < 3 * cache.maxBytes
      ? findings.warning(
          'snapshot',
          found,
          `up to ${((3 * cache.maxBytes) / GIB).toFixed(1)} GiB may be needed (3 × cache.maxBytes)`,
        )
      : findings.ok('snapshot', found);
  } catch (error) {
    const user = process.getuid?.() ?? '?';
    return findings.failure(
      'snapshot',
      textOf(error),
      `make it writable for user ${user}, or name another snapshot.dir`,
    );
  }
}

/** The directory itself, or the first one above it that is there: who only looks makes none. */
async function nearest(dir: string): Promise<string> {
  const isThere = await stat(dir).then(
    () => true,
    () => false,
  );
  return isThere || dirname(dir) === dir ? dir : nearest(dirname(dir));
}
