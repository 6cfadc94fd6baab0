import { describe, expect, it } from 'vitest';
import { type Entry, sizeOfEntry } from '../../../src/cache/entry.js';
import { createGiven } from '../../../src/cache/sharing/given.js';
import { entryOf } from '../snapshot/entries.js';

const large = (name: string): Entry => {
  const entry = entryOf(name, 0);
  return { ...entry, reply: { ...entry.reply, message: Buffer.alloc(100_000) } };
};
const ROOM_FOR_THREE = 3 * sizeOfEntry(large('a')) + 1_000;

describe('what callers were given', () => {
  it('is kept for each of them while it is one of a few', () => {
    const given = createGiven(ROOM_FOR_THREE);
    const entries = ['a', 'b', 'c'].map(large);
    for (let caller = 0; caller < 9_000; caller++) given.note(`${caller}`, entries[caller % 3] as Entry);
    for (let caller = 0; caller < 9_000; caller++) expect(given.get(`${caller}`)).toBe(entries[caller % 3]);
  });

  it('takes no more room than it has, however many came once and were given one each: the oldest go', () => {
    const given = createGiven(ROOM_FOR_THREE);
    const entries = Array.from({ length: 50 }, (_, n) => large(`${n}`));
    for (const [n, entry] of entries.entries()) {
      given.note(`once-${n}`, entry);
      // Who comes again and again is given what is there now.
      given.note('often', entry);
    }
    const kept = entries.map((_, n) => given.get(`once-${n}`)).filter((entry) => entry !== undefined);
    expect(kept).toEqual(entries.slice(-3));
    expect(given.get('often')).toBe(entries.at(-1));
  });

  it('stays while somebody is given it again', () => {
    const given = createGiven(ROOM_FOR_THREE);
    const [first, ...others] = ['a', 'b', 'c', 'd', 'e'].map(large) as [Entry, ...Entry[]];
    given.note('one', first);
    for (const [n, entry] of others.entries()) {
      given.note(`other-${n}`, entry);
      given.note(`new-${n}`, first);
    }
    expect(given.get('one')).toBe(first);
  });

  it('is not kept where it alone is larger than all may be', () => {
    const given = createGiven(1_000);
    given.note('one', large('a'));
    expect(given.get('one')).toBeUndefined();
  });
});
