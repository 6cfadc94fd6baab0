/**
 * How much faster than life the suites of the shield run: ten times, unless they are run in real time
 * (test/hard/keep-alive/streams-and-rows.test.ts).
 */
export const TIME_FACTOR = Number(process.env.SHIELD_TIME_FACTOR ?? 10);

/** What a test may take, ms, that takes `tenthMs` at a tenth of the time. */
export function limitOf(tenthMs: number): number {
  return (tenthMs * 10) / TIME_FACTOR;
}
