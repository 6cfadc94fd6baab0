import type { Entry } from '../../../src/cache/entry.js';
import { createClassifier } from '../../../src/route/classify.js';
import { decodeRequest, requestFieldNumbers } from '../../../src/route/proto.js';
import { requestOf } from '../../support/data-path.js';

const classifier = createClassifier({ fleetId: 'f', decoder: { decodeRequest, requestFieldNumbers } });

/** The answer to GetScheduler of `hostname`, asked for at `askedAtMs`. */
export function entryOf(hostname: string, askedAtMs: number, over: Partial<Entry> = {}): Entry {
  const path = '/manager.v2.Manager/GetScheduler';
  const question = classifier.question(path, requestOf(path, { hostname, scheduler_cluster_id: '1' }));
  if (question === undefined) throw new Error('asks nothing');
  return {
    question,
    reply: {
      headers: { 'x-kind': ['a', 'b'] },
      message: Buffer.from(`answer of ${hostname}`),
      status: { code: 0, message: '' },
      trailers: { 'x-trailer': 'c' },
    },
    askedAtMs,
    answeredAtMs: askedAtMs + 3,
    checkedAtMs: askedAtMs,
    manager: '0',
    empty: false,
    held: undefined,
    ...over,
  };
}
