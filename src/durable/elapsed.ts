import type { BootMoment } from './boot-clock.js';

/** Time since something was written, ms. `certain`: measured on a clock that nobody sets. */
export function elapsedSince(
  written: { readonly writtenAtWallMs: number; readonly boot: BootMoment | null },
  wallMs: number,
  boot: BootMoment | undefined,
): { readonly ms: number; readonly certain: boolean } {
  const then = written.boot;
  if (then !== null && boot?.bootId === then.bootId && boot.sinceBootMs >= then.sinceBootMs) {
    return { ms: boot.sinceBootMs - then.sinceBootMs, certain: true };
  }
  return { ms: Math.max(0, wallMs - written.writtenAtWallMs), certain: false };
}
