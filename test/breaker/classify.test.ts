import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { classify, isEntry } from '../../src/breaker/classify.js';
import { Code } from '../../src/rpc/status.js';

interface Recorded {
  readonly code?: number;
  readonly message?: string;
  readonly fault?: string;
}

const recorded = (name: string): Recorded[] =>
  JSON.parse(readFileSync(new URL(`../fixtures/recordings/${name}.json`, import.meta.url), 'utf8'));

describe('classification', () => {
  it.each(['manager-v2.1.55', 'manager-v2.5.1'])(
    'takes everything that a well %s answered for a fact',
    (name) => {
      const answers = recorded(name).filter(({ code }) => code !== undefined);
      expect(answers.length).toBeGreaterThan(20);
      for (const { code = 0, message = '' } of answers)
        expect([message, classify({ code, message })]).toEqual([message, undefined]);
    },
  );

  it('takes for faults just what failing managers answered with something else than OK or "record not found"', () => {
    for (const { code = 0, message = '' } of recorded('manager-faults')) {
      const isFact = code === Code.OK || message === 'record not found';
      expect([message, classify({ code, message })]).toEqual([message, isFact ? undefined : 'transient']);
    }
  });

  it('knows back-pressure, and tells it from a message over our own limit', () => {
    const exhausted = (message: string) => classify({ code: Code.RESOURCE_EXHAUSTED, message });
    expect(exhausted('/manager.v2.Manager/GetScheduler is rejected by grpc_ratelimit middleware')).toBe(
      'backpressure',
    );
    const ours = 'manager-gateway: manager m:65003: its answer is larger than 67108864 bytes';
    expect(exhausted(ours)).toBe('permanent');
  });

  it('never keeps UNIMPLEMENTED', () => {
    expect(isEntry({ code: Code.UNIMPLEMENTED, message: '' })).toBe(false);
    expect(isEntry({ code: Code.NOT_FOUND, message: 'application not found' })).toBe(true);
  });
});
