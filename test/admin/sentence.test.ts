import { describe, expect, it } from 'vitest';
import { type Standing, sentenceOf } from '../../src/admin/api/sentence.js';

const WELL: Standing = {
  mode: 'answer',
  draining: false,
  notServing: undefined,
  frozen: undefined,
  maintenanceLeftMs: 0,
  managers: { working: 2, all: 2 },
  trouble: undefined,
  openBreakers: 0,
  disputedNodes: 0,
  liveNodes: 3,
  configRefused: false,
  reads: { all: 2_000, spared: 1_960 },
};

describe('the sentence', () => {
  it.each<[string, Partial<Standing>, string, string]>([
    [
      'all is well',
      {},
      'well',
      'All is well: all 2 manager addresses work; 98 % of 2,000 reads were answered from memory.',
    ],
    ['nothing can be answered', { notServing: 'no manager' }, 'bad', 'Nobody can be answered: no manager.'],
    [
      'one address is gone',
      { managers: { working: 1, all: 2 } },
      'care',
      '1 of 2 manager addresses work; callers do not notice.',
    ],
    [
      'a mode that answers nothing itself',
      { mode: 'bypass' },
      'care',
      'Mode bypass: callers get what the manager says, and nothing when it says nothing.',
    ],
    [
      'a mode that answers nothing itself while no manager does',
      { mode: 'observe', trouble: 'gone', managers: { working: 0, all: 2 } },
      'bad',
      'No manager works, and in mode observe callers are given nothing else: gone.',
    ],
    [
      'open breakers',
      { openBreakers: 1 },
      'care',
      'The manager works, but 1 of its methods fail and are not asked for now.',
    ],
    [
      'nodes of which the manager says otherwise',
      { disputedNodes: 1 },
      'care',
      'The manager says otherwise of 1 of 3 live nodes; it is being put right.',
    ],
    [
      'no manager that works, and what that means before why',
      { trouble: 'manager a has not answered since 12:00:05Z', managers: { working: 0, all: 2 } },
      'bad',
      'No manager works; callers get the last good answers: manager a has not answered since 12:00:05Z.',
    ],
    [
      'a configuration that is refused',
      { configRefused: true },
      'care',
      'The changed configuration is refused; what ran before goes on.',
    ],
    [
      'maintenance',
      { maintenanceLeftMs: 59_000 },
      'care',
      'Maintenance for 1 more minute: callers get what is remembered.',
    ],
  ])('says %s', (_name, over, health, text) => {
    expect(sentenceOf({ ...WELL, ...over })).toEqual({ health, text });
  });

  it('says the worst first', () => {
    const all = { ...WELL, mode: 'observe', trouble: 'gone', frozen: 'other ids', openBreakers: 2 };
    expect(sentenceOf(all).text).toMatch(/^The manager does not look like ours/);
  });
});
