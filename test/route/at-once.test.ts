import { describe, expect, it } from 'vitest';
import type { Mode } from '../../src/config/config.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import { createAtOnce, fitsAtOnce } from '../../src/route/at-once.js';
import type { Classifier } from '../../src/route/classify.js';
import { NO_METADATA } from '../../src/rpc/metadata.js';
import type { ReadAnswer } from '../../src/rpc/read.js';
import { OK_STATUS } from '../../src/rpc/status.js';
import { ManualClock } from '../support/manual-clock.js';

const READ = '/manager.v2.Manager/ListSchedulers';
const HEALTH = '/grpc.health.v1.Health/Check';
const QUESTION = Buffer.from('who is there?');
const NOTHING = Buffer.alloc(0);
const SERVING = Buffer.from([8, 1]);

type State = { mode: Mode; admitAll: boolean; draining: boolean };

function startAtOnce(hit: Partial<ReadAnswer['reply']> | undefined) {
  const clock = new ManualClock();
  const events: GatewayEvent[] = [];
  const heard: string[] = [];
  const state: State = { mode: 'answer', admitAll: true, draining: false };
  const reply = { headers: NO_METADATA, message: Buffer.from('they are'), status: OK_STATUS, trailers: {} };
  const answered: ReadAnswer | undefined = hit && {
    reply: { ...reply, ...hit },
    askedAtMs: clock.nowMs(),
    answeredAtMs: clock.nowMs(),
    source: 'hit',
    coalesced: false,
    manager: '',
  };
  const classifier: Pick<Classifier, 'question'> = {
    question: (path) => ({ path }) as ReturnType<Classifier['question']>,
  };
  const atOnce = createAtOnce({
    mode: () => state.mode,
    admitAll: () => state.admitAll,
    classifier: classifier as Classifier,
    answerAtOnce: () => answered,
    checkHealth: (request) => (request.length === 0 ? SERVING : undefined),
    draining: () => state.draining,
    registrations: { heard: (path: string) => void heard.push(path) } as never,
    clock,
    emit: (event) => events.push(event),
  });
  return { atOnce, clock, events, heard, state };
}

describe('what memory has', () => {
  it('is answered at once, says how old it is, and counts as a call', () => {
    const { atOnce, clock, events, heard } = startAtOnce({ trailers: { 'x-own': 'kept' } });
    clock.advance(1_500);
    expect(atOnce.accepts(READ, NO_METADATA)).toBe(true);
    expect(atOnce.answer(READ, NO_METADATA, QUESTION)).toEqual({
      headers: NO_METADATA,
      message: Buffer.from('they are'),
      status: OK_STATUS,
      trailers: { 'x-own': 'kept', 'x-dfmgw-cache': 'hit', 'x-dfmgw-age-ms': '1500' },
    });
    const method = READ.slice(1);
    expect(events).toEqual([
      { kind: 'answer-aged', method, ageMs: 1_500, source: 'own' },
      { kind: 'call-answered', method, answer: 'hit', code: 0, durationMs: 0 },
    ]);
    expect(heard).toEqual([READ]);
  });

  it('is left to the handler if there is nothing, which counts it then', () => {
    const { atOnce, events, heard } = startAtOnce(undefined);
    expect(atOnce.answer(READ, NO_METADATA, QUESTION)).toBeUndefined();
    expect([events, heard]).toEqual([[], []]);
  });

  it.each<[string, Buffer | undefined, boolean]>([
    ['nothing but a status', undefined, false],
    ['64 KiB', Buffer.alloc(64 * 1024), true],
    ['a byte more', Buffer.alloc(64 * 1024 + 1), false],
  ])('of %s fits, or does not', (_, message, fits) => {
    const reply = { headers: NO_METADATA, message, status: OK_STATUS, trailers: NO_METADATA };
    expect(fitsAtOnce({ reply })).toBe(fits);
  });

  it.each<[string, string, Record<string, string>]>([
    ['a write', '/manager.v2.Manager/UpdateSeedPeer', {}],
    ['a stream', '/manager.v2.Manager/KeepAlive', {}],
    ['a method nobody has heard of', '/never.heard.of/It', {}],
    ['who shows a credential', READ, { authorization: 'Bearer x' }],
  ])('is not looked for by %s', (_, path, metadata) => {
    expect(startAtOnce({}).atOnce.accepts(path, metadata)).toBe(false);
  });

  it.each<[string, { mode?: Mode; admitAll?: boolean }]>([
    ['in observe', { mode: 'observe' }],
    ['in bypass', { mode: 'bypass' }],
    ['where clients are held against rules', { admitAll: false }],
  ])('answers nobody %s, not even who came just before that was switched on', (_, change) => {
    const { atOnce, events, state } = startAtOnce({});
    Object.assign(state, change);
    expect(atOnce.accepts(READ, NO_METADATA)).toBe(false);
    expect(atOnce.answer(READ, NO_METADATA, QUESTION)).toBeUndefined();
    expect(events).toEqual([]);
  });
});

describe('health', () => {
  it('is told at once to who asks about the server as a whole, and counts as a call', () => {
    const { atOnce, events } = startAtOnce(undefined);
    expect(atOnce.accepts(HEALTH, { authorization: 'Bearer x' })).toBe(true);
    expect(atOnce.answer(HEALTH, NO_METADATA, NOTHING)).toEqual({
      headers: NO_METADATA,
      message: SERVING,
      status: OK_STATUS,
      trailers: NO_METADATA,
    });
    const method = HEALTH.slice(1);
    expect(events).toEqual([{ kind: 'call-answered', method, answer: 'local', code: 0, durationMs: 0 }]);
  });

  it('of one service, or watched, is left to the handler', () => {
    const { atOnce, events } = startAtOnce(undefined);
    expect(atOnce.answer(HEALTH, NO_METADATA, Buffer.from([10, 1, 65]))).toBeUndefined();
    expect(atOnce.accepts('/grpc.health.v1.Health/Watch', NO_METADATA)).toBe(false);
    expect(events).toEqual([]);
  });

  it.each<[Mode, boolean, boolean]>([
    ['observe', false, false],
    ['bypass', false, false],
    ['observe', true, true],
    ['bypass', true, true],
  ])("is the manager's in %s, unless the gateway drains (%s): told here %s", (mode, draining, isOurs) => {
    const { atOnce, state } = startAtOnce(undefined);
    Object.assign(state, { mode, draining });
    expect(atOnce.accepts(HEALTH, NO_METADATA)).toBe(isOurs);
    expect(atOnce.answer(HEALTH, NO_METADATA, NOTHING) !== undefined).toBe(isOurs);
  });

  it('is told whatever clients may read', () => {
    const { atOnce, state } = startAtOnce(undefined);
    state.admitAll = false;
    expect(atOnce.accepts(HEALTH, NO_METADATA)).toBe(true);
  });
});
