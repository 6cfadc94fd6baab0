import { describe, expect, it } from 'vitest';
import { tapped } from '../../src/route/observe-read.js';
import { unread } from '../../src/route/one-message.js';
import { TestCall } from '../support/upstream-call.js';

describe.each([
  ['whose messages were put back', (call: TestCall) => unread(call, [Buffer.from('first')], false)],
  ['whose reply is looked at', (call: TestCall) => tapped(call, () => {})],
])('a call %s', (_what, wrap) => {
  it('tells how its caller has left, once it has', () => {
    const call = new TestCall();
    const wrapped = wrap(call);
    expect([wrapped.departure, wrapped.cancelled, wrapped.signal.aborted]).toEqual([undefined, false, false]);
    call.cancel('connection-lost');
    expect([wrapped.departure, wrapped.cancelled, wrapped.signal.aborted]).toEqual([
      'connection-lost',
      true,
      true,
    ]);
  });
});
