import type { MemoryEvent, WorldEvent } from '../events.js';
import type { Explanations } from './explained.js';

const LIST = 'manager.v2.Manager/ListSchedulers';
const GET = 'manager.v2.Manager/GetScheduler';

/** What is remembered, shared, held back, and asked for ahead of the callers. */
export const ABOUT_MEMORY = {
  'cache-stored': [
    { event: { kind: 'cache-stored', method: LIST, sizeBytes: 812 }, means: 'An answer is remembered.' },
  ],
  'read-held-back': [
    {
      event: { kind: 'read-held-back', method: LIST },
      means: 'A read was answered from memory because a manager that is back is asked step by step.',
    },
  ],
  'cache-discarded': [
    {
      event: { kind: 'cache-discarded', method: LIST, reason: 'asked-earlier' },
      todo: 'Nothing: a later one is there. So it is with `voided-by-write`, or a richer one; `too-large` is an answer larger than `cache.maxBytes`, `unreadable` one that is no message of its method.',
    },
  ],
  'sharing-changed': [
    { event: { kind: 'sharing-changed', to: 'place', detail: '' }, todo: 'Nothing.' },
    {
      event: { kind: 'sharing-changed', to: 'own', detail: 'a cluster declares hostnames' },
      todo: 'Nothing is wrong, but each caller is asked for alone, and a new one gets no list while the managers are away. Where `cidrs` are the reason, `cache.sharing: cidr` shares again (a restart).',
    },
  ],
  'guard-held': [
    {
      event: { kind: 'guard-held', method: LIST, reason: 'empty-list' },
      todo: 'The manager says that no scheduler is active. Are they running, and what does its console say of them? Callers get the last good list. If it is true: `POST /api/cache/accept`, or wait.',
    },
    {
      event: { kind: 'guard-held', method: GET, reason: 'record-not-found' },
      todo: 'A node that had a row has none any more. Deleted on purpose: nothing, or `POST /api/cache/accept`. Otherwise: its registration in the console.',
    },
    {
      event: { kind: 'guard-held', method: LIST, reason: 'without-cluster' },
      todo: 'Lists came with `scheduler_cluster` and come without: an older manager (v2.1.55) answers. Rust daemons from v1.5.1 on refuse such a list, so mend that within `cache.emptyHold`.',
    },
    {
      event: { kind: 'guard-held', method: LIST, reason: 'lost-live-node' },
      todo: 'The manager has lost, or takes for inactive, a node that is alive here. It is being mended: see `node-disputed`.',
    },
  ],
  'guard-released': [
    {
      event: { kind: 'guard-released', method: LIST, reason: 'empty-list' },
      todo: 'From now on callers get the poorer answer. If it is wrong, mend it at the manager; it is asked again after each TTL.',
    },
  ],
  'warmup-started': [{ event: { kind: 'warmup-started', reason: 'return', keys: 340 }, todo: 'Nothing.' }],
  'warmup-finished': [
    {
      event: {
        kind: 'warmup-finished',
        finished: true,
        keys: 340,
        refreshed: 338,
        failed: 2,
        durationMs: 7_200,
      },
      todo: 'Nothing. What failed is asked for again by its callers.',
    },
    {
      event: {
        kind: 'warmup-finished',
        finished: false,
        keys: 340,
        refreshed: 120,
        failed: 3,
        durationMs: 4_100,
      },
      todo: 'The managers have gone away again: see `address-state-changed`. It begins anew with their return.',
    },
  ],
  'pace-changed': [
    {
      event: { kind: 'pace-changed', from: 'idle', to: 'away' },
      todo: 'An outage: `address-state-changed` and `resolve-failed` say of whom, `manager-gateway doctor` why.',
    },
    {
      event: { kind: 'pace-changed', from: 'away', to: 'ramp' },
      todo: 'Nothing: it is over. Answers grow fresh within a minute or so.',
    },
    { event: { kind: 'pace-changed', from: 'ramp', to: 'idle' }, todo: 'Nothing.' },
  ],
  'pace-lowered': [
    {
      event: { kind: 'pace-lowered', perSecond: 25 },
      todo: 'Nothing now: it slows down by itself. At every return: a lower `warmup.rate` (a restart).',
    },
  ],
  'world-frozen': [
    {
      event: { kind: 'world-frozen', detail: 'cluster 1 was "eu", and is "test"' },
      todo: 'Is it the right manager? Look at `managers.addrs` and at the clusters in its console. **Wrong one**: mend that; it is noticed within half a minute. **Right one** (a cluster was renamed, a database restored on purpose): accept it, at *each* replica. There is no hurry: callers get what is remembered.',
    },
  ],
  'world-known-again': [{ event: { kind: 'world-known-again' }, todo: 'Nothing.' }],
  'world-cleared': [
    {
      event: { kind: 'world-cleared' },
      means: 'The roll was called after an outage, and the manager is the one we know.',
    },
  ],
  'world-accepted': [
    { event: { kind: 'world-accepted' }, todo: 'Do the same at the other replicas, if there are any.' },
  ],
} satisfies Explanations<(MemoryEvent | WorldEvent)['kind']>;
