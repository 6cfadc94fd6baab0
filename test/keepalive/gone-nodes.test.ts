import { expect, it } from 'vitest';
import { GoneNodes } from '../../src/keepalive/gone-nodes.js';
import { recordOf } from '../support/claimant.js';

it('a seed peer that has gone keeps nothing in memory but its first message', () => {
  const gone = new GoneNodes(10);
  const { node, ...record } = recordOf('seed-1', 'its first message');
  gone.add('key', { ...record, node: { ...node, kind: 'seed-peer' } }, true);
  const first = gone.seedPeer('key')?.first;
  expect([String(first), first?.buffer.byteLength]).toEqual([String(record.first), record.first.length]);
});
