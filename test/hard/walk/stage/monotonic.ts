/** The machine's monotonic clock, ms: one for all processes on it. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
