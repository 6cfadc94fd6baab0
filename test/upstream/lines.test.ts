import { describe, expect, it } from 'vitest';
import type { Metadata } from '../../src/rpc/metadata.js';
import type { Status } from '../../src/rpc/status.js';
import type { Line } from '../../src/upstream/line.js';
import { deferred } from '../support/upstream-deferred.js';
import type { ReceivedCall } from '../support/upstream-manager.js';
import { cleanUpAfterEach, setUp } from '../support/upstream-setup.js';

cleanUpAfterEach();

const PATH = '/manager.v2.Manager/KeepAlive';

/** A stream held on `line`, its first message sent. */
function hold(line: Line, first = 'first') {
  const ended = deferred<{ status: Status; trailers: Metadata }>();
  const call = line.open(
    PATH,
    {},
    {
      headers: () => {},
      message: () => call.requestMessage(),
      status: (status, trailers) => ended.resolve({ status, trailers }),
    },
  );
  call.requestMessage();
  void call.send(Buffer.from(first));
  return { call, ended: ended.promise };
}

function lineOf(found: Line | undefined): Line {
  if (!found) throw new Error('no line');
  return found;
}

describe('a line', () => {
  it('after a GOAWAY is leaving, ends its stream in order, and is gone', async () => {
    const held: ReceivedCall[] = [];
    const { manager, harness, upstream } = await setUp(
      { call: (call) => void held.push(call) },
      { channelsPerAddr: 1 },
    );
    const line = lineOf(upstream.line());
    const states: string[] = [];
    line.watch(() => states.push(line.state));
    const { call, ended } = hold(line);
    await harness.until(() => held.length === 1);

    manager.sessions[0]?.close();
    await harness.until(() => states.length === 1 && upstream.line() !== undefined);
    expect(states).toEqual(['leaving']);
    expect(upstream.line()).not.toBe(line);
    call.halfClose();
    expect(String(await held[0]?.read())).toBe('first');
    expect(await held[0]?.read()).toBeUndefined();
    held[0]?.end(0);

    expect((await ended).status.code).toBe(0);
    await harness.until(() => line.state === 'gone');
    expect(states).toEqual(['leaving', 'gone']);
  });

  it('that is given up is gone, its stream ends UNAVAILABLE, and another is dialled', async () => {
    const held: ReceivedCall[] = [];
    const { manager, harness, upstream } = await setUp(
      { call: (call) => void held.push(call) },
      { channelsPerAddr: 1 },
    );
    const line = lineOf(upstream.line());
    const { ended } = hold(line);
    await harness.until(() => held.length === 1);

    line.giveUp();

    expect((await ended).status).toMatchObject({ code: 14 });
    expect(line.state).toBe('gone');
    await harness.until(() => upstream.line() !== undefined);
    expect(manager.connectionsEver).toBe(2);
  });
});
