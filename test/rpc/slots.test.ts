import { expect, it } from 'vitest';
import { createSlots, type SlotsOptions } from '../../src/rpc/slots.js';
import { ManualClock } from '../support/manual-clock.js';

function started(options: Omit<SlotsOptions, 'clock'>) {
  const clock = new ManualClock();
  const slots = createSlots({ ...options, clock });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const begin = (name: string): Promise<string> =>
    slots(() => {
      begun.push(name);
      return new Promise((resolve) => ends.set(name, () => resolve(name)));
    });
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    // What follows an answer follows in promises.
    for (let times = 0; times < 5; times++) await Promise.resolve();
  };
  return { clock, begun, begin, end };
}

it('begins as many as it may, and the next one when one has ended, in the order in which they came', async () => {
  const { begun, begin, end, clock } = started({ atOnce: 2, patienceMs: 25 });
  const all = ['a', 'b', 'c', 'd'].map(begin);
  expect(begun).toEqual(['a', 'b']);
  clock.advance(10);
  await end('b');
  expect(begun).toEqual(['a', 'b', 'c']);
  await end('a');
  await end('c');
  await end('d');
  expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
  expect(clock.pendingTimers).toBe(0);
});

it('does not wait for who takes longer than it has patience, and does not count his end', async () => {
  const { begun, begin, end, clock } = started({ atOnce: 1, patienceMs: 25 });
  for (const name of ['a', 'b', 'c']) void begin(name);
  clock.advance(25);
  expect(begun).toEqual(['a', 'b']);
  await end('a');
  expect(begun).toEqual(['a', 'b']);
  await end('b');
  expect(begun).toEqual(['a', 'b', 'c']);
});

it('where it rests it begins the next one after as long again', async () => {
  const { begun, begin, end, clock } = started({ atOnce: 1, patienceMs: 25, rests: true });
  for (const name of ['a', 'b', 'c']) void begin(name);
  clock.advance(10);
  await end('a');
  clock.advance(9);
  expect(begun).toEqual(['a']);
  clock.advance(1);
  expect(begun).toEqual(['a', 'b']);
  // But for no longer than it has patience, all in all.
  clock.advance(20);
  await end('b');
  clock.advance(4);
  expect(begun).toEqual(['a', 'b']);
  clock.advance(1);
  expect(begun).toEqual(['a', 'b', 'c']);
  await end('c');
  clock.advance(25);
  expect(clock.pendingTimers).toBe(0);
});

it('hands on what went wrong, and goes on', async () => {
  const slots = createSlots({ atOnce: 1, patienceMs: 25, clock: new ManualClock() });
  await expect(slots(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await slots(() => Promise.resolve(1))).toBe(1);
});
