import type { Metadata } from '../../src/rpc/metadata.js';
import type { Status } from '../../src/rpc/status.js';
import type { Line, LineCall, LineState } from '../../src/upstream/line.js';
import { deferred } from './upstream-deferred.js';

/** A stream that a test holds on a line. */
export interface HeldStream {
  readonly line: Line;
  readonly call: LineCall;
  readonly ended: Promise<{ readonly status: Status; readonly trailers: Metadata }>;
  readonly received: Buffer[];
  /** As told, in order. */
  readonly states: LineState[];
}

/** Opens a stream, its first message sent, and watches the line. */
export function hold(
  line: Line | undefined,
  first: Buffer | string = 'first',
  path = '/manager.v2.Manager/KeepAlive',
): HeldStream {
  if (!line) throw new Error('no line is good');
  const ended = deferred<{ status: Status; trailers: Metadata }>();
  const states: LineState[] = [];
  const received: Buffer[] = [];
  const call = line.open(
    path,
    {},
    {
      headers: () => {},
      message: (message) => {
        received.push(message);
        call.requestMessage();
      },
      status: (status, trailers) => ended.resolve({ status, trailers }),
    },
  );
  call.requestMessage();
  void call.send(Buffer.from(first));
  line.watch(() => states.push(line.state));
  return { line, call, ended: ended.promise, received, states };
}
