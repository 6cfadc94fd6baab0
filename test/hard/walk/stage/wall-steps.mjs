// Loaded before a process (`node --import`): with each SIGUSR2 its wall clock jumps, by turns hours ahead and further back. Monotonic
// time is left alone, as by an operator who sets the clock.
const real = Date.now.bind(Date);
const HOUR_MS = 3_600_000;
const STEPS_MS = [5 * HOUR_MS, -9 * HOUR_MS, 4 * HOUR_MS, 30 * 24 * HOUR_MS, -30 * 24 * HOUR_MS];
let offsetMs = 0;
let taken = 0;
process.on('SIGUSR2', () => {
  offsetMs += STEPS_MS[taken++ % STEPS_MS.length];
});

globalThis.Date = class extends Date {
  constructor(...args) {
    super(...(args.length === 0 ? [real() + offsetMs] : args));
  }
  static now() {
    return real() + offsetMs;
  }
};
