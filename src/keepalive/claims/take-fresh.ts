import type { ClaimDesk } from './desk.js';
import type { TakeHow, TakeReply } from './exchange.js';
import type { Taken, Whence } from './replies.js';

const MOST_TIMES = 3;

type Yours = Extract<Taken, { kind: 'yours' }>;

/**
 * Takes a node, and asks again whose it is (`again`) where the answer is heard so late that others may have taken the node from us meanwhile:
 * a process that was frozen reads what was said before, and what Redis says of its other claims would then seem to confirm this one, too.
 */
export async function takeFresh(
  { exchange, timing, clock }: Pick<ClaimDesk, 'exchange' | 'timing' | 'clock'>,
  key: string,
  record: Buffer | undefined,
  first: TakeHow,
  again: (stale: Yours) => TakeHow = () => first,
): Promise<TakeReply> {
  let how = first;
  let whence: Whence | undefined;
  for (let asked = 1; ; asked++) {
    const { got, sentAtMs } = await exchange.take(key, how, record);
    if (got?.kind !== 'yours') return { got, sentAtMs };
    // The second time it is ours already, wherever it came from.
    if (got.whence !== 'mine') whence = got.whence;
    // Where all answers are late, the renewal decides what is believed.
    if (clock.nowMs() - sentAtMs <= timing.beliefMs || asked === MOST_TIMES)
      return { got: { ...got, whence: whence ?? 'mine' }, sentAtMs };
    how = again(got);
  }
}
