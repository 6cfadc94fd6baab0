import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Scopes } from '../../../src/simulator/manager/rows.js';
import { orderClusters, type SearchingCaller } from '../../../src/simulator/manager/searcher.js';

type Recording = {
  readonly clusters: readonly { name: string; scopes: Scopes; isDefault: boolean; schedulers: number }[];
  readonly answers: readonly { caller: SearchingCaller; schedulers: readonly string[] }[];
};

function recording(name: string): Recording {
  return JSON.parse(readFileSync(new URL(`../../fixtures/recordings/${name}`, import.meta.url), 'utf8'));
}

describe('the searcher', () => {
  for (const name of ['searcher-scopes-all.json', 'searcher-scopes-idc-location.json']) {
    it(`orders clusters for every caller as the real one did: ${name}`, () => {
      const { clusters, answers } = recording(name);
      expect(answers).toHaveLength(150);
      for (const { caller, schedulers } of answers) {
        const ordered = orderClusters(
          clusters.map((cluster) => ({ ...cluster, isDefault: false })),
          caller,
        ).flatMap((cluster) => Array.from({ length: cluster.schedulers }, (_, i) => `${cluster.name}-s${i}`));
        expect(ordered, JSON.stringify(caller)).toEqual(schedulers);
      }
    });
  }

  const names = (scopes: Record<string, Scopes>, caller: Partial<SearchingCaller>): string[] =>
    orderClusters(
      Object.entries(scopes).map(([name, own]) => ({ name, scopes: own, isDefault: name === 'default' })),
      { hostname: 'host', ip: '10.0.0.1', idc: '', location: '', ...caller },
    ).map(({ name }) => name);

  it('prefers the default cluster where nothing else matches', () => {
    expect(names({ other: { idc: 'x' }, default: {} }, {})).toEqual(['default', 'other']);
  });

  it('passes over blocks and expressions that cannot be read', () => {
    const scopes = {
      broken: { cidrs: ['10.0.0.0/33', 'nonsense', '10.0.0.0/08'], hostnames: ['('] },
      good: { cidrs: ['10.0.0.0/8'] },
    };
    expect(names(scopes, {})).toEqual(['good', 'broken']);
  });

  it('takes an IPv4 address in IPv6 clothes for what it is', () => {
    expect(names({ a: {}, b: { cidrs: ['10.0.0.0/8'] } }, { ip: '::ffff:10.9.9.9' })).toEqual(['b', 'a']);
  });
});
