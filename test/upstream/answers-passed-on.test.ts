import { describe, expect, it } from 'vitest';
import { ManualClock } from '../support/manual-clock.js';
import { TestCall } from '../support/upstream-call.js';
import type { ReceivedCall } from '../support/upstream-manager.js';
import { cleanUpAfterEach, startManager, startUpstream } from '../support/upstream-setup.js';

cleanUpAfterEach();

const MIB = 1024 * 1024;
const AT_ONCE = 4;

/** An upstream, and what has arrived at its manager. */
async function setUp() {
  const arrived: ReceivedCall[] = [];
  const manager = await startManager({ call: (call) => void arrived.push(call) });
  const clock = new ManualClock();
  const harness = startUpstream({ addrs: [manager.port] }, { clock, limits: { bytesInFlight: MIB } });
  await harness.settled();
  const begin = (path: string) => {
    const call = new TestCall(path);
    return { call, outcome: harness.upstream.forward(call) };
  };
  return { harness, arrived, begin };
}

describe('a call of a method of which nobody knows how large its answers are', () => {
  it('and whose caller has gone while it waited reaches no manager', async () => {
    const { harness, arrived, begin } = await setUp();
    const first = Array.from({ length: AT_ONCE }, () => begin('/a/First'));
    await harness.until(() => arrived.length === AT_ONCE);
    const gone = Array.from({ length: 20 }, () => begin('/a/Gone'));
    for (const { call } of gone) call.cancel();
    const last = begin('/a/Last');
    for (const call of arrived.splice(0)) call.end(12);
    await harness.until(() => arrived.some(({ path }) => path === '/a/Last'));
    expect(arrived.map(({ path }) => path)).toEqual(['/a/Last']);
    expect(await Promise.all(gone.map(({ outcome }) => outcome))).toEqual(Array(20).fill({ code: 1 }));
    arrived[0]?.end(12);
    expect(await Promise.all([...first, last].map(({ outcome }) => outcome))).toEqual(
      Array(AT_ONCE + 1).fill({ code: 12 }),
    );
  });
});

describe('an answer that its caller does not take', () => {
  it('has the next one refused in words, and its call taken back, as long as there is no room for both', async () => {
    const { harness, arrived, begin } = await setUp();
    const slow = begin('/a/Slow');
    let take = (): void => undefined;
    slow.call.taking = () =>
      new Promise((resolve) => {
        take = resolve;
      });
    await harness.until(() => arrived.length === 1);
    arrived[0]?.answer(Buffer.alloc(MIB));
    await harness.until(() => slow.call.received.length === 1);

    const other = begin('/a/Other');
    await harness.until(() => arrived.length === 2);
    arrived[1]?.respond();
    arrived[1]?.send(Buffer.alloc(MIB));
    expect(await other.outcome).toEqual({ code: 8 });
    expect((await other.call.ended).status.message).toBe(
      `an answer of ${MIB} bytes while ${MIB} wait for callers that do not read them; ${MIB} are allowed (server.limits.bytesInFlight)`,
    );
    expect(await arrived[1]?.closed()).toBe(8);
    expect([other.call.received, harness.of('limit-reached').length]).toEqual([[], 1]);

    take();
    expect(await slow.outcome).toEqual({ code: 0 });
    const next = begin('/a/Other');
    await harness.until(() => arrived.length === 3);
    arrived[2]?.answer(Buffer.alloc(MIB));
    expect(await next.outcome).toEqual({ code: 0 });
  });
});
