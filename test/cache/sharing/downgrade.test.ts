import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/errors.js';
import type { Reply, UnaryRequest } from '../../../src/rpc/call.js';
import type { ReadAnswer } from '../../../src/rpc/read.js';
import { type Bench, bench, responseOf } from '../../support/data-path.js';
import { ok } from '../../support/scripted-upstream.js';
import { callerOf, hostnamesIn, LIST, searching, type World } from '../../support/searcher-replies.js';

const OPEN: World = [{ id: 1, name: 'c1', scopes: {}, isDefault: false, schedulers: 1 }];
const POLL_MS = 60_000;
const HOLD_MS = 10 * 60_000;

const daemon = (n: number): object => ({
  source_type: 'PEER_SOURCE',
  hostname: `node-${n}`,
  ip: `10.0.0.${n}`,
  idc: 'a',
});

/** As v2.1.55: no list shows clusters, and nobody can tell from outside what it depends on. */
const withoutClusters = (request: UnaryRequest): Reply =>
  ok(responseOf(LIST, { schedulers: [{ hostname: `for-${callerOf(request).hostname}` }] }));

/** A manager was downgraded, and has said so for longer than `cache.emptyHold`. */
async function downgraded(): Promise<Bench & { ask(n: number): Promise<ReadAnswer> }> {
  const made = bench();
  const ask = (n: number) => made.path.answerRead(made.read(LIST, daemon(n), { attempts: 'one' }));
  made.upstream.auto = searching(() => OPEN);
  await ask(1);
  await ask(2);
  made.upstream.auto = withoutClusters;
  made.clock.advance(POLL_MS);
  for (let passedMs = 0; passedMs < HOLD_MS; passedMs += POLL_MS) {
    expect(hostnamesIn((await ask(1)).reply.message)).toEqual(['c1-s0']);
    made.clock.advance(POLL_MS);
  }
  return { ...made, ask };
}

describe('a list that shows no clusters, once it has outlasted cache.emptyHold', () => {
  it('is its asker’s alone: others of the place ask for themselves', async () => {
    const { ask, of } = await downgraded();
    const answers = [await ask(1), await ask(2), await ask(3)];
    expect(of('guard-released')).toHaveLength(1);
    expect(answers.map(({ reply }) => hostnamesIn(reply.message))).toEqual([
      ['for-node-1'],
      ['for-node-2'],
      ['for-node-3'],
    ]);
  });

  it('is never what all of the place are given: that stays the last list that showed clusters', async () => {
    const { ask, clock, upstream, path } = await downgraded();
    await ask(1);
    const shared = [...path.store.entries()].filter(({ question }) => question.parts[4] === 'shared');
    expect(shared.map(({ reply }) => hostnamesIn(reply.message))).toEqual([['c1-s0']]);
    // The manager is what it was again, long enough for nobody to doubt it; then it is gone.
    upstream.auto = searching(() => OPEN);
    for (let times = 0; times < 12; times++) {
      clock.advance(POLL_MS);
      await ask(4);
    }
    upstream.auto = () => new GatewayError('manager-unavailable', 'gone');
    const stranger = await ask(5);
    expect([stranger.via, hostnamesIn(stranger.reply.message)]).toEqual(['shared', ['c1-s0']]);
  });
});
