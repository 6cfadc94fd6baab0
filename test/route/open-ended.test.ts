import { expect, it } from 'vitest';
import { createOpenEnded } from '../../src/route/open-ended.js';
import type { Call } from '../../src/rpc/call.js';
import { NO_METADATA } from '../../src/rpc/metadata.js';
import { Code } from '../../src/rpc/status.js';
import { ManualClock } from '../support/manual-clock.js';
import { ScriptedCall } from '../support/scripted-call.js';

const WATCH = '/grpc.health.v1.Health/Watch';
const STOPPING = {
  status: { code: Code.UNAVAILABLE, message: 'manager-gateway is stopping; connect again' },
};

/** Forwards until the call is cancelled, as a manager that never ends it. */
function forwarding() {
  const clock = new ManualClock();
  const forward = (call: Call): Promise<{ code: number }> =>
    new Promise((resolve) => {
      call.signal.addEventListener('abort', () => {
        call.end({ code: Code.CANCELLED, message: 'cancelled' }, NO_METADATA);
        resolve({ code: Code.CANCELLED });
      });
    });
  return { clock, openEnded: createOpenEnded({ forward, clock, random: () => 0.5 }) };
}

it('a drain ends what is forwarded in words that make its caller come back, whatever it was on its way to', async () => {
  const { clock, openEnded } = forwarding();
  const [before, late] = [new ScriptedCall(WATCH), new ScriptedCall(WATCH)];
  const codes = [openEnded.forward(before)];
  const drained = openEnded.drain(clock.nowMs() + 60_000);
  // It was sent before its caller had heard of the drain.
  codes.push(openEnded.forward(late));
  clock.advance(2_000);
  await drained;
  expect([before.ended, late.ended]).toMatchObject([STOPPING, STOPPING]);
  expect(await Promise.all(codes)).toEqual([{ code: Code.UNAVAILABLE }, { code: Code.UNAVAILABLE }]);
});

it('a caller that leaves ends it at the manager, and nothing of it is left for a drain', async () => {
  const { clock, openEnded } = forwarding();
  const call = new ScriptedCall(WATCH);
  const code = openEnded.forward(call);
  call.leave('cancelled');
  expect(await code).toEqual({ code: Code.CANCELLED });
  await openEnded.drain(clock.nowMs() + 60_000);
  expect(clock.pendingTimers).toBe(0);
});
