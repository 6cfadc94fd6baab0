import { expect, it } from 'vitest';
import { Verdicts } from '../hard/walk/judge/verdicts.js';

it('one rule that is broken all the time hides no other, and is told of by how often', () => {
  const verdicts = new Verdicts();
  verdicts.add(Array.from({ length: 9 }, (_, index) => ({ rule: 'one', atMs: index, text: `${index}` })));
  expect(verdicts.untold()).toHaveLength(6);
  verdicts.add([{ rule: 'other', atMs: 9.4, text: 'seen once' }]);
  expect(verdicts.untold()).toEqual(['broken: other | at 9 ms | seen once']);
  expect(verdicts.all()).toHaveLength(8);
  expect(verdicts.all().at(-1)).toBe('broken: one | 3 times more');
});
