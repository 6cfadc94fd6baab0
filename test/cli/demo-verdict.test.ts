import { describe, expect, it } from 'vitest';
import type { SideFigures } from '../../src/cli/demo/figures.js';
import { judge } from '../../src/cli/demo/verdict.js';
import { held, hurt, side } from './demo-figures.js';

const LIMITS = { connections: 2, timeFactor: 10 };
const known = (answered: number, failed: number, empty: number) => ({
  calls: { known: { answered, failed, empty }, cold: { answered: 5, failed: 0, empty: 0 } },
});
const cold = (answered: number, failed: number, empty: number) => ({
  calls: { known: { answered: 1_000, failed: 0, empty: 0 }, cold: { answered, failed, empty } },
});

/** The texts of the conditions that do not hold. */
function broken(direct: SideFigures, gateway: SideFigures): string[] {
  return judge(direct, gateway, LIMITS)
    .filter(({ holds }) => !holds)
    .map(({ text }) => text);
}

describe('The verdict on the demo', () => {
  it('is good when every condition holds', () => {
    expect(judge(hurt(), held(), LIMITS)).toHaveLength(8);
    expect(broken(hurt(), held())).toEqual([]);
  });

  it.each([
    ['one call of a known caller failed', { fleet: known(1_000, 1, 0) }, 'every call of a known caller'],
    ['one known caller got an empty list', { fleet: known(1_000, 0, 1) }, 'every call of a known caller'],
    ['nobody was answered at all', { fleet: known(0, 0, 0) }, 'every call of a known caller'],
    [
      'a known daemon exited',
      { fleet: { daemonExits: { known: 1, cold: 0 } } },
      'no daemon or scheduler exits',
    ],
    [
      'a daemon never seen before exited',
      { fleet: { daemonExits: { known: 0, cold: 1 } } },
      'no daemon or scheduler exits',
    ],
    ['a call of a new node failed', { fleet: cold(10, 1, 0) }, 'every call of a node that joins'],
    ['a new node got an empty list', { fleet: cold(10, 0, 1) }, 'every call of a node that joins'],
    ['no node joined', { fleet: cold(0, 0, 0) }, 'every call of a node that joins'],
    ['a scheduler exited', { fleet: { schedulerExits: 1 } }, 'no daemon or scheduler exits'],
    [
      'a scheduler had no configuration for 10.01 s',
      { fleet: { longestWithoutConfigurationMs: 1_001 } },
      'no scheduler is without',
    ],
    ['the manager saw three connections', { manager: { connectionsPeak: 3 } }, 'at most channelsPerAddr'],
    ['the manager saw no connection', { manager: { connectionsPeak: 0 } }, 'at most channelsPerAddr'],
    ['the manager got 41 % of the calls', { manager: { calls: 410 } }, 'the manager gets at most 40 %'],
    ['a stream broke', { fleet: { streamsBroken: 1 } }, 'no scheduler or seed peer'],
    ['nodes were inactive for 11 %', { manager: { inactiveMs: 3_300 } }, 'no scheduler or seed peer'],
    ['there was no node', { manager: { nodes: 0 } }, 'no scheduler or seed peer'],
    ['the manager got no call', { manager: { calls: 0 } }, 'the manager gets at most 40 %'],
  ])('is bad when %s', (_case, changes, text) => {
    expect(broken(hurt(), held(changes))).toEqual([expect.stringContaining(text)]);
  });

  it('is bad when the incident hurts nobody even without the gateway', () => {
    const direct = side({ manager: { calls: 1_000, inactiveMs: 30_000 } });
    expect(broken(direct, held())).toEqual([expect.stringContaining('the incident hurts')]);
  });

  it('holds at the very limits', () => {
    const manager = { connectionsPeak: 2, calls: 400 };
    expect(broken(hurt(), held({ fleet: { longestWithoutConfigurationMs: 1_000 }, manager }))).toEqual([]);
  });

  it('says with which codes calls failed', () => {
    const gateway = held({ fleet: { ...known(5, 2, 0), failuresByCode: { UNAVAILABLE: 2 } } });
    const found = judge(hurt(), gateway, LIMITS).find(({ holds }) => !holds)?.found;
    expect(found).toBe('5 answered, 2 failed (cold ones included: 2 UNAVAILABLE), 0 empty');
  });
});
