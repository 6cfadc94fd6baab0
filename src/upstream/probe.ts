import type { Clock } from '../rpc/clock.js';
import { NO_METADATA } from '../rpc/metadata.js';
import { Code, OK_STATUS, type Status } from '../rpc/status.js';
import type { Channel } from './channel.js';

export type ProbeResult =
  /** A word of the manager, or a fault on the way: the owner classifies `status`. */
  | { readonly kind: 'answered'; readonly status: Status; readonly latencyMs: number }
  | { readonly kind: 'silent'; readonly latencyMs: number }
  | { readonly kind: 'abandoned' };

export interface Probe {
  readonly result: Promise<ProbeResult>;
  /** The result is then `abandoned`. */
  abandon(): void;
}

const PATH = '/manager.v2.Manager/GetScheduler';

/**
 * GetScheduler {source_type 1: SCHEDULER_SOURCE (0, the default: not on the wire), hostname 2, scheduler_cluster_id 3,
 * ip 4}. The only read that reaches the database every time is one for a hostname that does not exist
 * (test/fixtures/recordings), so "record not found" is health.
 */
const REQUEST = Buffer.concat([
  textField(2, 'manager-gateway-probe'),
  Buffer.from([3 << 3, 1]),
  textField(4, '127.0.0.1'),
]);

function textField(number: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

/** Asks once, on this channel. Always settles: at the latest after `timeoutMs`, with `silent`. */
export function probe(channel: Channel, timeoutMs: number, clock: Clock): Probe {
  const startedMs = clock.nowMs();
  let settle: (result: ProbeResult) => void = () => {};
  const result = new Promise<ProbeResult>((resolve) => {
    settle = resolve;
  });
  const call = channel.call(PATH, NO_METADATA, startedMs + timeoutMs, {
    headers: () => {},
    message: () => call.requestMessage(),
    status: (status) => {
      timer.cancel();
      settle({ kind: 'answered', status, latencyMs: clock.nowMs() - startedMs });
    },
  });
  const end = (how: ProbeResult) => {
    timer.cancel();
    settle(how);
    call.cancel({ code: Code.CANCELLED, message: 'probe ended' });
  };
  const timer = clock.setTimer(timeoutMs, () => end({ kind: 'silent', latencyMs: timeoutMs }));
  call.requestMessage();
  void call.send(REQUEST);
  call.halfClose();
  return { result, abandon: () => end({ kind: 'abandoned' }) };
}

/** Short words for logs: what a probe found. */
export function probeDetail(result: ProbeResult): string {
  switch (result.kind) {
    case 'answered':
      return result.status.code === OK_STATUS.code ? 'OK' : result.status.message;
    case 'silent':
      return `no answer within ${result.latencyMs} ms`;
    case 'abandoned':
      return 'abandoned';
  }
}
