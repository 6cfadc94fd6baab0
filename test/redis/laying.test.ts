import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/cache/entry.js';
import type { StoredAnswer } from '../../src/cache/redis/exchange.js';
import { createLaying, type LayingOptions } from '../../src/cache/redis/laying.js';
import type { Seen } from '../../src/cache/redis/seen.js';
import type { Question } from '../../src/rpc/question.js';
import { ManualClock } from '../support/manual-clock.js';

const LIST = { key: 'place' } as Question;
const STRANGERS = { key: 'unknown' } as Question;
const ENTRY = { question: LIST, askedAtMs: 0 } as Entry;
const SEEN = { question: STRANGERS, atUs: 0, beforeMs: 0, afterMs: 0, places: [] } as unknown as Seen;

/** Redis takes a store when the test says so. */
function laying(): { lay: () => Promise<boolean>; taken: (result: string) => string[] } {
  const stores: { name: string; end: (result: string) => void }[] = [];
  const store = ({ name }: StoredAnswer): Promise<string> => new Promise((end) => stores.push({ name, end }));
  const { lay } = createLaying({
    maxStaleMs: 60_000,
    exchange: { store },
    keys: { answer: (_schema: number, key: string) => key } as LayingOptions['keys'],
    envelope: { seal: () => Buffer.from('sealed') } as unknown as LayingOptions['envelope'],
    schema: 1,
    replica: 'r1',
    isUndecided: ({ key }) => key === STRANGERS.key,
    undecidedOf: () => STRANGERS,
    onAsked: () => undefined,
    onStored: () => undefined,
    clock: new ManualClock(),
    emit: () => undefined,
  });
  return {
    lay: () => lay(ENTRY, STRANGERS, SEEN),
    taken(result) {
      const ended = stores.splice(0);
      for (const { end } of ended) end(result);
      return ended.map(({ name }) => name);
    },
  };
}

describe('a list that everybody may share', () => {
  it('is laid at once where those look who know that and where those look who do not', async () => {
    const { lay, taken } = laying();
    const laid = lay();
    expect(taken('stored')).toEqual(['place', 'unknown']);
    expect(await laid).toBe(true);
  });

  it('is laid for strangers once in a while, and with the next list where Redis did not take it', async () => {
    const { lay, taken } = laying();
    const refused = lay();
    taken('other-schema');
    expect(await refused).toBe(false);
    const laid = lay();
    expect(taken('stored')).toEqual(['place', 'unknown']);
    await laid;
    void lay();
    expect(taken('stored')).toEqual(['place']);
  });
});
