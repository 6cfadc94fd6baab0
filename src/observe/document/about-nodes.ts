import type { ClaimEvent, NodeEvent } from '../events.js';
import type { Explanations } from './explained.js';

const SCHEDULER = { node: 'scheduler', manager: '0' } as const;
const REOPENED = { kind: 'node-reopened', ...SCHEDULER } as const;

/** Schedulers and seed peers: their KeepAlive streams at the manager, and what it says of them. `/api/nodes` tells which node. */
export const ABOUT_NODES = {
  'node-opened': [{ event: { kind: 'node-opened', ...SCHEDULER }, todo: 'Nothing.' }],
  'node-reopened': [
    {
      event: { ...REOPENED, reason: 'link-broken', gapMs: 140, detail: 'read ECONNRESET' },
      todo: 'Once: nothing. Again and again: what is between here and the manager. Seconds of `gapMs`, during which the node was inactive, mean that the manager was away.',
    },
    {
      event: { ...REOPENED, reason: 'leaving', gapMs: 3, detail: '' },
      todo: 'Nothing: managers end each connection after 12 hours or so.',
    },
    {
      event: { ...REOPENED, reason: 'mute', gapMs: 1_010, detail: '' },
      todo: 'As `channel-created` with `unresponsive`.',
    },
    {
      event: { ...REOPENED, reason: 'manager-error', gapMs: 700, detail: 'invalid connection' },
      todo: 'The manager ended the stream with a fault of its own; the reason is in brackets, and in its log.',
    },
    {
      event: { ...REOPENED, reason: 'inactive', gapMs: 4, detail: '' },
      todo: 'Mended. Often: somebody else ends streams of the same node at the manager. Do nodes also go there directly, or are there replicas without `redis.addrs`?',
    },
    {
      event: { ...REOPENED, reason: 'taken-over', gapMs: 0, detail: '' },
      todo: 'Nothing. Nor with `registered`, `reassert` and `awake`, which have lines of their own before them.',
    },
  ],
  'node-ended': [
    {
      event: { kind: 'node-ended', node: 'scheduler', reason: 'lost', detail: '' },
      todo: 'Is the node up? Its connection broke and it is not back after `keepAlive.grace`, so the manager shows it inactive. Up, and still so: what is between it and here.',
    },
    {
      event: { kind: 'node-ended', node: 'scheduler', reason: 'silent', detail: '' },
      todo: 'The node is connected and says nothing: frozen, or starved of CPU. With its next beat it is active again.',
    },
    {
      event: {
        kind: 'node-ended',
        node: 'seed-peer',
        reason: 'answered',
        detail: 'record not found',
      },
      todo: 'The manager refused the stream, and the node was told. "record not found": it is not registered and its registration is not known here. Restart the node, it registers at its start.',
    },
    {
      event: { kind: 'node-ended', node: 'scheduler', reason: 'left', detail: '' },
      todo: 'Nothing. Nor with `yielded`, `forgotten` and `stopping`.',
    },
  ],
  'node-unshielded': [
    {
      event: { kind: 'node-unshielded' },
      todo: '65,536 nodes are held. No fleet is as large: who makes up names? `/api/nodes`.',
    },
  ],
  'openings-lowered': [
    {
      event: { kind: 'openings-lowered', perSecond: 500 },
      todo: 'Nothing: it slows down by itself. Nodes are active later than usual after this outage.',
    },
  ],
  'node-looked-at': [
    {
      event: { kind: 'node-looked-at', node: 'scheduler', says: 'active' },
      means: 'The manager was asked what it says of a live node.',
    },
  ],
  'node-disputed': [
    {
      event: { kind: 'node-disputed', node: 'scheduler', says: 'inactive' },
      todo: 'It is being mended: `node-settled` follows. If none does (`nodes_disputed` stays above 0), something sets it inactive again: another gateway, nodes that also go to the manager directly, an older row of the same host name.',
    },
    {
      event: { kind: 'node-disputed', node: 'seed-peer', says: 'gone' },
      todo: 'Its registration is sent again: `node-registered-again` follows. If it does not, it is not known here: restart the node, it registers at its start.',
    },
  ],
  'node-settled': [
    { event: { kind: 'node-settled', node: 'scheduler', disputedMs: 310 }, todo: 'Nothing: mended.' },
  ],
  'node-registered-again': [
    {
      event: { kind: 'node-registered-again', node: 'seed-peer', outcome: 'applied' },
      todo: 'Mended. Why had the manager lost it: a restored database, a row deleted by hand?',
    },
    {
      event: { kind: 'node-registered-again', node: 'scheduler', outcome: 'refused' },
      todo: 'The manager does not take it: its port has changed ("Duplicate entry"), or its cluster is gone. Look at the row in the console, and restart the node.',
    },
    {
      event: { kind: 'node-registered-again', node: 'scheduler', outcome: 'later' },
      todo: 'Nothing: the manager could not take it just now, and is asked again. Nor with `there-already`.',
    },
  ],
  'nodes-recovered': [
    { event: { kind: 'nodes-recovered', recovered: 12, elsewhere: 1, tooOld: 0 }, todo: 'Nothing.' },
  ],
  'claim-taken': [
    { event: { kind: 'claim-taken', whence: 'nobody' }, todo: 'Nothing.' },
    {
      event: { kind: 'claim-taken', whence: 'expired' },
      todo: 'A replica has died without a word: why? Its nodes are active again.',
    },
    {
      event: { kind: 'claim-taken', whence: 'forced' },
      todo: 'A replica lives but does not answer: starved of CPU, or cut off from Redis?',
    },
  ],
  'claim-given': [
    { event: { kind: 'claim-given', reason: 'wanted' }, todo: 'Nothing.' },
    {
      event: { kind: 'claim-given', reason: 'late' },
      todo: 'This replica stood still for longer than others wait: CPU limits (`nodejs_eventloop_lag_p99_seconds`), or its way to Redis.',
    },
  ],
  'claim-reasserted': [
    {
      event: { kind: 'claim-reasserted' },
      todo: 'Mended here. The other replica stood still: see `claim-given` with `late` in its log.',
    },
  ],
  'claims-unshared': [
    {
      event: { kind: 'claims-unshared', claims: 120 },
      todo: 'Redis: see `redis-failed`. Nodes stay active where they are; avoid rollouts until it is back.',
    },
  ],
  'claims-shared': [{ event: { kind: 'claims-shared', claims: 120 }, todo: 'Nothing.' }],
} satisfies Explanations<(NodeEvent | ClaimEvent)['kind']>;
