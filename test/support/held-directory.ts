import type { OwnDirectory } from '../../src/durable/own-directory.js';

/** A directory of the test's own: nobody else wants it. */
export function heldDirectory(dir: string): OwnDirectory {
  return {
    dir,
    held: dir !== '',
    take: () => Promise.resolve(),
    whenTaken: () => undefined,
    release: () => Promise.resolve(),
  };
}
