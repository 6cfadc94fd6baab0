/**
 * Loaded before a process (`node --import`): its wall clock shows WALL_OFFSET_MS more, and with WALL_JUMPS_MS also that much more or less by
 * turns, ten times a second. Monotonic time is left alone, as by an operator who sets the clock.
 */
const real = Date.now.bind(Date);
const offsetMs = Number(process.env.WALL_OFFSET_MS ?? 0);
const jumpsMs = Number(process.env.WALL_JUMPS_MS ?? 0);

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
