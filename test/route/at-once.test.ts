import { describe, expect, it } from 'vitest';
import type { Mode } from '../../src/config/config.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import { createAtOnce } from '../../src/route/at-once.js';
import type { Classifier } from '../../src/route/classify.js';
import { NO_METADATA } from '../../src/rpc/metadata.js';
import type { ReadAnswer } from '../../src/rpc/read.js';
import { OK_STATUS } from '../../src/rpc/status.js';
import { ManualClock } from '../support/manual-clock.js';

const READ = '/manager.v2.Manager/ListSchedulers';
const QUESTION = Buffer.from('who is there?');

function startAtOnce(hit: Partial<ReadAnswer['reply']> | undefined) {
  const clock = new ManualClock();
  const events: GatewayEvent[] = [];
  const heard: string[] = [];
  const state: { mode: Mode; admitAll: boolean } = { mode: 'answer', admitAll: true };
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
    answerNow: () => answered,
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

  it.each<[string, Partial<ReadAnswer['reply']> | undefined]>([
    ['there is nothing', undefined],
    ['what is there has no message', { message: undefined as never }],
    ['it is large', { message: Buffer.alloc(64 * 1024 + 1) }],
  ])('is left to the handler if %s, which counts it then', (_, hit) => {
    const { atOnce, events, heard } = startAtOnce(hit);
    expect(atOnce.answer(READ, NO_METADATA, QUESTION)).toBeUndefined();
    expect([events, heard]).toEqual([[], []]);
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
