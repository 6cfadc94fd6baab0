import { Code } from '../../rpc/status.js';
import type { Life } from './life.js';
import type { ManagerClient } from './manager-client.js';
import type { Message } from './messages.js';
import type { Surroundings } from './program.js';

const BEAT_INTERVAL_MS = 5_000;

/**
 * Keeps a KeepAlive stream as Go components do: the first message one interval after opening; the end of a
 * stream is noticed at the next tick, which opens another; one that ended with CANCELLED is the last.
 */
export async function keepBeating(
  around: Pick<Surroundings, 'pace' | 'counters'>,
  life: Life,
  client: ManagerClient,
  message: Message,
): Promise<void> {
  const { pace, counters } = around;
  while (!life.ended) {
    const stream = client.openStream(message.path);
    counters().streams.opened++;
    while (await life.sleep(pace.scaled(BEAT_INTERVAL_MS))) {
      if (stream.endedWith !== undefined) break;
      stream.send(message.bytes);
    }
    if (life.ended) return;
    counters().streams.broken++;
    if (stream.endedWith === Code.CANCELLED) return;
  }
}
