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
const NODE = { hostname: 'n', ip: '127.0.0.1', port: 8002 };
const REFUSED = ended(14, 'connect ECONNREFUSED');
const NOT_FOUND = ended(13, 'record not found');

const scheduler = (over: object = {}): UnaryRequest =>
  request(SCHEDULER, { source_type: 'SCHEDULER_SOURCE', scheduler_cluster_id: '1', ...NODE, ...over });
const seedPeer = (over: object = {}): UnaryRequest =>
  request(SEED_PEER, { source_type: 'SEED_PEER_SOURCE', seed_peer_cluster_id: '1', ...NODE, ...over });
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
    registered: () => undefined,
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
