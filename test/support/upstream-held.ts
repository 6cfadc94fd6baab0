import type { Metadata } from '../../src/rpc/metadata.js';
import type { Status } from '../../src/rpc/status.js';
import type { Line, LineCall, LineState } from '../../src/upstream/line.js';
import { deferred } from './upstream-deferred.js';

/** A stream that a test holds on a line. */
export interface HeldStream {
  readonly line: Line;
  readonly call: LineCall;
  readonly ended: Promise<{ readonly status: Status; readonly trailers: Metadata }>;
  /** As told, in order. */
  readonly states: LineState[];
  readonly stopWatching: () => void;
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
  const call = line.open(
    path,
    {},
    {
      headers: () => {},
      message: () => call.requestMessage(),
      status: (status, trailers) => ended.resolve({ status, trailers }),
    },
  );
  call.requestMessage();
  void call.send(Buffer.from(first));
  return {
    line,
    call,
    ended: ended.promise,
    states,
    stopWatching: line.watch(() => states.push(line.state)),
  };
}
