/**
 * Loaded before a process (`node --import`): its wall clock shows WALL_OFFSET_MS more, with WALL_JUMPS_MS also that much more or less by
 * turns, ten times a second, and with each SIGUSR2 it is set, by turns hours ahead and further back. Monotonic time is left alone, as by an
 * operator who sets the clock.
 */
const real = Date.now.bind(Date);
const HOUR_MS = 3_600_000;
const SETTINGS_MS = [5 * HOUR_MS, -9 * HOUR_MS, 4 * HOUR_MS, 30 * 24 * HOUR_MS, -30 * 24 * HOUR_MS];
const jumpsMs = Number(process.env.WALL_JUMPS_MS ?? 0);
let offsetMs = Number(process.env.WALL_OFFSET_MS ?? 0);
let taken = 0;
process.on('SIGUSR2', () => {
  offsetMs += SETTINGS_MS[taken++ % SETTINGS_MS.length];
});

function now() {
  const jumpMs = Math.floor(performance.now() / 100) % 2 === 0 ? jumpsMs : -jumpsMs;
  return real() + offsetMs + jumpMs;
}

globalThis.Date = class extends Date {
  constructor(...args) {
    super(...(args.length === 0 ? [now()] : args));
  }
  static now() {
    return now();
  }
};
