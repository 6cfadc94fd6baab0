import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { classify } from '../../src/breaker/classify.js';
import { GatewayError } from '../../src/errors.js';
import type { NodeId } from '../../src/keepalive/node.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import { createBook } from '../../src/registrations/book.js';
import {
  createRegistrationsPart,
  type RegistrationsPart,
} from '../../src/registrations/create-registrations.js';
import { createLedger } from '../../src/registrations/ledger.js';
import { createRegistrations } from '../../src/registrations/registrations.js';
import { WITHOUT_REDIS } from '../../src/registrations/shared/shared-registrations.js';
import { createTurns } from '../../src/registrations/turns.js';
import { decodeRequest, decodeResponse, encodeRequest } from '../../src/route/proto.js';
import type { Reply, UnaryRequest } from '../../src/rpc/call.js';
import type { AddressStatus } from '../../src/upstream/upstream.js';
import { configOf, requestOf, responseOf } from '../support/data-path.js';
import { heldDirectory } from '../support/held-directory.js';
import { ManualClock } from '../support/manual-clock.js';
import { ended, ok, ScriptedUpstream } from '../support/scripted-upstream.js';

const SCHEDULER = '/manager.v2.Manager/UpdateScheduler';
const SEED_PEER = '/manager.v2.Manager/UpdateSeedPeer';
const DELETE = '/manager.v2.Manager/DeleteSeedPeer';
const GET_SEED_PEER = '/manager.v2.Manager/GetSeedPeer';
const NODE = { hostname: 'n', ip: '127.0.0.1', port: 8002 };
const REFUSED = ended(14, 'connect ECONNREFUSED');
const NOT_FOUND = ended(13, 'record not found');

const scheduler = (over: object = {}): UnaryRequest =>
  request(SCHEDULER, { source_type: 'SCHEDULER_SOURCE', scheduler_cluster_id: '1', ...NODE, ...over });
const seedPeer = (over: object = {}): UnaryRequest =>
  request(SEED_PEER, { source_type: 'SEED_PEER_SOURCE', seed_peer_cluster_id: '1', ...NODE, ...over });
const deletion = (over: object = {}): UnaryRequest =>
  request(DELETE, { source_type: 'SEED_PEER_SOURCE', hostname: 'n', seed_peer_cluster_id: '1', ...over });
const answered = (over: object = {}): Reply =>
  ok(responseOf('/manager.v2.Manager/GetScheduler', { id: '7', ...NODE, ...over }));

function request(path: string, fields: object, metadata = {}): UnaryRequest {
  return { path, metadata, message: requestOf(path, fields), deadlineMs: 11_000, signal: undefined };
}

let dir: string;
let clock: ManualClock;
let upstream: ScriptedUpstream;
let events: GatewayEvent[];
let part: RegistrationsPart;
let seen: UnaryRequest[];
let alive: boolean | undefined;
let frozen: string | undefined;
let acknowledged: NodeId[];

async function start(sets: readonly string[] = [`snapshot.dir=${dir}`]): Promise<void> {
  const managers = upstream;
  const config = configOf('', ['warmup.rate=10', ...sets]);
  part = createRegistrationsPart({
    config,
    directory: heldDirectory(config.snapshot.dir),
    mode: () => 'answer',
    upstream: managers,
    codec: { decodeRequest, decodeResponse, encodeRequest },
    frozen: () => frozen,
    cleared: () => frozen === undefined,
    isAlive: () => alive,
    acknowledged: (node) => acknowledged.push(node),
    written: () => undefined,
    classify,
    clock,
    emit: (event) => events.push(event),
  });
  await part.load();
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dfmgw-registrations-'));
  clock = new ManualClock();
  upstream = new ScriptedUpstream(clock);
  events = [];
  [seen, acknowledged] = [[], []];
  [alive, frozen] = [undefined, undefined];
  manager(() => answered());
  await start();
});
afterEach(async () => {
  await part.stop();
  rmSync(dir, { recursive: true });
});

/** What the manager says from now on. */
function manager(says: (request: UnaryRequest) => Reply | Error): void {
  upstream.healthy = true;
  upstream.statuses = () => [];
  upstream.auto = (asked) => {
    seen.push(asked);
    return says(asked);
  };
}

/** Refuses connections, and the probes know. */
function managerAway(): void {
  manager(() => REFUSED);
  upstream.healthy = false;
  upstream.statuses = () => [{ state: 'failed' } as AddressStatus] as never;
  seen = [];
}

const paths = (): string[] => seen.map(({ path }) => path.slice(path.lastIndexOf('/') + 1));
const replays = (): unknown[] =>
  events.flatMap((event) => (event.kind === 'registration-replayed' ? [event.outcome] : []));

async function untilReplays(count: number): Promise<void> {
  part.look();
  while (replays().length < count) {
    await new Promise((resolve) => setImmediate(resolve));
    // The only timer here is the pause before the next one.
    if (clock.pendingTimers > 0) clock.advance(1);
  }
}

describe('while the manager is there', () => {
  it('a registration is what the manager says, word for word', async () => {
    for (const reply of [
      answered(),
      NOT_FOUND,
      ended(13, "Error 1062: Duplicate entry 'n'"),
      ended(8, 'rejected'),
    ]) {
      manager(() => reply);
      expect(await part.write(scheduler())).toEqual({ reply, journaled: false });
    }
    expect(part.pending()).toBe(0);
  });
});

describe('while the manager is away', () => {
  it.each([
    ['nobody asked', managerAway, 0],
    ['the connection refused', () => manager(() => REFUSED), 1],
    [
      'no answer in time',
      () => manager(() => new GatewayError('manager-timeout', 'did not answer within 7500 ms')),
      1,
    ],
  ])('a known node is acknowledged with what the manager last said, %s', async (_, goAway, asked) => {
    await part.write(scheduler());
    goAway();
    seen = [];
    const moved = scheduler({ ip: '127.0.0.9' });
    expect(await part.write(moved)).toEqual({ reply: answered(), journaled: true });
    expect(seen).toHaveLength(asked);
    expect(part.pending()).toBe(1);
    expect(acknowledged).toEqual([expect.objectContaining({ hostname: 'n', ip: '127.0.0.9' })]);
  });

  it('and it stays so over a restart', async () => {
    await part.write(scheduler());
    await part.stop();
    managerAway();
    await start();
    expect((await part.write(scheduler())).journaled).toBe(true);
    await part.stop();
    await start();
    expect(part.pending()).toBe(1);
  });

  it.each([
    ['another hostname', () => scheduler({ hostname: 'm' })],
    ['another cluster', () => scheduler({ scheduler_cluster_id: '2' })],
    ['another source', () => scheduler({ source_type: 'PEER_SOURCE' })],
    ['another port', () => scheduler({ port: 1 })],
    ['a seed peer of that name', () => seedPeer()],
    [
      'a credential',
      () => request(SCHEDULER, { scheduler_cluster_id: '1', ...NODE }, { authorization: 'Bearer x' }),
    ],
  ])('%s is answered as the manager would: UNAVAILABLE', async (_, unknown) => {
    await part.write(scheduler());
    managerAway();
    expect(await part.write(unknown())).toEqual({ reply: REFUSED, journaled: false });
    expect(part.pending()).toBe(0);
  });

  it.each([
    ['whenDown is refuse', (): string[] => ['registrations.whenDown=refuse', `snapshot.dir=${dir}`]],
    ['there is no directory', (): string[] => ['snapshot.dir=']],
  ])('nobody is acknowledged where %s', async (_, sets) => {
    await part.stop();
    await start(sets());
    await part.write(scheduler());
    managerAway();
    expect((await part.write(scheduler())).journaled).toBe(false);
  });

  it('nobody is acknowledged whose registration could not be written down', async () => {
    const book = createBook();
    const { write } = createRegistrations({
      whenDown: 'known',
      book,
      shared: WITHOUT_REDIS,
      ledger: createLedger({
        book,
        shared: WITHOUT_REDIS,
        clock,
        journal: {
          isOpen: true,
          open: () => Promise.reject(new Error('open already')),
          append: () => Promise.reject(new Error('ENOSPC: no space left on device')),
          close: () => Promise.resolve(),
        },
        emit: (event) => events.push(event),
      }),
      turns: createTurns(),
      written: () => undefined,
      decoder: { decodeRequest, decodeResponse },
      ask: (one) => upstream.unary(one),
      away: () => (upstream.healthy ? undefined : 'away'),
      frozen: () => undefined,
      acknowledged: () => undefined,
      classify,
      clock,
      emit: (event) => events.push(event),
    });
    expect((await write(scheduler())).reply).toEqual(answered());
    managerAway();
    await expect(write(scheduler())).rejects.toThrow('the registration could not be written down');
    expect(book.pending()).toEqual([]);
    expect(events.at(-1)).toEqual({ kind: 'journal-failed', detail: 'ENOSPC: no space left on device' });
  });
});

describe('when the manager is back', () => {
  async function journaled(...requests: UnaryRequest[]): Promise<void> {
    manager(() => answered());
    for (const one of requests) await part.write(one);
    managerAway();
    for (const one of requests) expect((await part.write(one)).journaled).toBe(true);
  }

  it('a registration that it does not have is made up for, byte for byte', async () => {
    alive = true;
    const one = seedPeer();
    await journaled(one);
    manager(({ path }) => (path === GET_SEED_PEER ? NOT_FOUND : answered()));
    seen = [];
    await untilReplays(1);
    expect(replays()).toEqual(['applied']);
    expect(paths()).toEqual(['GetSeedPeer', 'UpdateSeedPeer']);
    expect(seen[1]?.message).toEqual(one.message);
    expect(part.pending()).toBe(0);
    await part.stop();
    await start();
    expect(part.pending()).toBe(0);
  });

  it('one that it has is left alone; one whose row has another ip is made up for', async () => {
    alive = true;
    await journaled(seedPeer(), scheduler());
    const row = ok(responseOf(GET_SEED_PEER, { id: '7', ...NODE, state: 'inactive' }));
    manager(({ path }) => (path === GET_SEED_PEER ? row : answered({ ip: '127.0.0.77' })));
    seen = [];
    await untilReplays(2);
    expect(replays()).toEqual(['there-already', 'applied']);
    expect(paths()).toEqual(['GetSeedPeer', 'GetScheduler', 'UpdateScheduler']);
  });

  it('only the newest of a node is made up for', async () => {
    await journaled(scheduler());
    await part.write(scheduler({ ip: '127.0.0.9' }));
    manager(({ path }) => (path === SCHEDULER ? answered() : NOT_FOUND));
    seen = [];
    await untilReplays(1);
    expect(paths()).toEqual(['GetScheduler', 'UpdateScheduler']);
    expect(decodeRequest(SCHEDULER, seen[1]?.message as Buffer).ip).toBe('127.0.0.9');
  });

  it('a node known to be dead is not brought back', async () => {
    await journaled(seedPeer());
    manager(() => NOT_FOUND);
    alive = false;
    seen = [];
    await untilReplays(1);
    expect([replays(), seen, part.pending()]).toEqual([['dead'], [], 0]);
  });

  it('a node that was deleted meanwhile is not brought back, not even by a deletion that failed', async () => {
    alive = true;
    await journaled(seedPeer(), seedPeer({ hostname: 'other' }));
    manager(() => REFUSED);
    await part.write(deletion());
    expect(part.pending()).toBe(1);
    manager(({ path }) => (path === GET_SEED_PEER ? NOT_FOUND : answered()));
    seen = [];
    await untilReplays(1);
    expect(decodeRequest(SEED_PEER, seen[1]?.message as Buffer).hostname).toBe('other');
    expect(part.pending()).toBe(0);
  });

  it('a deletion waits for a replay of the node that is under way, so that it has the last word', async () => {
    alive = true;
    await journaled(seedPeer());
    manager(() => NOT_FOUND);
    upstream.auto = undefined;
    part.look();
    const asked = async (count: number): Promise<void> => {
      while (upstream.asked.length < count) await new Promise((resolve) => setImmediate(resolve));
    };
    await asked(1);
    const deleted = part.write(deletion());
    upstream.asked[0]?.answer(NOT_FOUND);
    await asked(2);
    expect(upstream.asked[1]?.request.path).toBe(SEED_PEER);
    upstream.asked[1]?.answer(answered());
    await asked(3);
    expect(upstream.asked[2]?.request.path).toBe(DELETE);
    upstream.asked[2]?.answer(ok(Buffer.alloc(0)));
    expect((await deleted).journaled).toBe(false);
  });

  it('a registration that the node makes itself settles the journaled one', async () => {
    await journaled(scheduler());
    manager(() => answered());
    await part.write(scheduler({ ip: '127.0.0.9' }));
    expect(part.pending()).toBe(0);
  });

  it('no more than warmup.rate a second are made up for', async () => {
    await journaled(...Array.from({ length: 30 }, (_, n) => scheduler({ hostname: `n-${n}` })));
    manager(({ path }) => (path === SCHEDULER ? answered() : NOT_FOUND));
    const startedAtMs = clock.nowMs();
    await untilReplays(30);
    expect(clock.nowMs() - startedAtMs).toBeGreaterThanOrEqual(2_900);
  });

  it('one that the manager fails waits, and keeps no other waiting', async () => {
    await journaled(scheduler({ hostname: 'bad' }), scheduler({ hostname: 'good' }));
    manager(({ path, message }) => {
      if (path !== SCHEDULER) return NOT_FOUND;
      return decodeRequest(path, message).hostname === 'bad' ? ended(13, 'invalid connection') : answered();
    });
    await untilReplays(2);
    expect(replays()).toEqual(['later', 'applied']);
    expect(part.pending()).toBe(1);
  });

  it('nothing is made up for while it may be another manager, and no registration reaches it', async () => {
    await journaled(scheduler());
    manager(() => NOT_FOUND);
    frozen = 'another manager';
    seen = [];
    part.look();
    expect((await part.write(scheduler())).journaled).toBe(true);
    await expect(part.write(scheduler({ hostname: 'new' }))).rejects.toThrow('another manager');
    clock.advance(60_000);
    expect([seen, replays()]).toEqual([[], []]);
    frozen = undefined;
    manager(({ path }) => (path === SCHEDULER ? answered() : NOT_FOUND));
    await untilReplays(1);
    expect(replays()).toEqual(['applied']);
  });
});
