import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SearchingCaller } from '../../../src/simulator/manager/searcher.js';
import { bench, responseOf } from '../../support/data-path.js';
import { ok } from '../../support/scripted-upstream.js';
import { callerOf, hostnamesIn, LIST, type World } from '../../support/searcher-replies.js';

type Recording = {
  readonly clusters: World;
  readonly answers: readonly { caller: SearchingCaller; schedulers: readonly string[] }[];
};

/** What a real v2.5.1 answered to each of 150 callers. */
function recording(name: string): Recording {
  return JSON.parse(readFileSync(new URL(`../../fixtures/recordings/${name}`, import.meta.url), 'utf8'));
}

/** The recorded list of this caller, with the clusters that were recorded beside it. */
function recordedAnswer({ clusters, answers }: Recording, asker: SearchingCaller): Buffer {
  const found = answers.find(({ caller }) => JSON.stringify(caller) === JSON.stringify(asker));
  const schedulers = found?.schedulers.map((hostname) => {
    const cluster = clusters.find(({ name }) => hostname.startsWith(`${name}-s`));
    const scopes = Buffer.from(JSON.stringify(cluster?.scopes));
    return {
      hostname,
      scheduler_cluster_id: cluster?.id,
      scheduler_cluster: { id: cluster?.id, name: cluster?.name, scopes },
    };
  });
  return responseOf(LIST, { schedulers });
}

async function ask(recorded: Recording, sharing: string): Promise<number> {
  const { upstream, path, read } = bench(`cache: { sharing: ${sharing} }`);
  upstream.auto = (request) => ok(recordedAnswer(recorded, callerOf(request)));
  for (const { caller, schedulers } of recorded.answers) {
    const answer = await path.answerRead(read(LIST, { source_type: 'PEER_SOURCE', ...caller }));
    expect(hostnamesIn(answer.reply.message), JSON.stringify(caller)).toEqual(schedulers);
  }
  return upstream.attempts;
}

const placesOf = ({ answers }: Recording): number =>
  new Set(answers.map(({ caller: { idc, location } }) => `${idc}\n${location}`.toLowerCase())).size;

describe('what a real manager answered to 150 callers', () => {
  const plain = recording('searcher-scopes-idc-location.json');
  const all = recording('searcher-scopes-all.json');

  it.each(['scope', 'cidr'])(
    'is given to each, asked once per idc and location, with sharing: %s',
    async (sharing) => {
      expect(await ask(plain, sharing)).toBe(placesOf(plain));
      expect(placesOf(plain)).toBeLessThan(50);
    },
  );

  it('is asked for one by one with sharing: exact', async () => {
    expect(await ask(plain, 'exact')).toBe(150);
  });

  it.each(['scope', 'cidr'])(
    'is asked for one by one where clusters name hosts, with sharing: %s',
    async (sharing) => {
      expect(await ask(all, sharing)).toBe(150);
    },
  );

  it('is asked once per set of blocks where no cluster names hosts', async () => {
    // The cluster that names hosts, without its row: then no answer was ever made by it.
    const clusters = all.clusters.filter(({ scopes }) => scopes.hostnames === undefined);
    const answers = all.answers.map(({ caller, schedulers }) => ({
      caller,
      schedulers: schedulers.filter((name) => !name.startsWith('host-rule')),
    }));
    const within = (ip: string): string =>
      [/^127\.2\./, /^127\.2\.1\./, /^127\.3\./].map((r) => Number(r.test(ip))).join();
    const sets = new Set(
      answers.map(({ caller }) => `${within(caller.ip)}\n${caller.idc}\n${caller.location}`.toLowerCase()),
    );
    expect(await ask({ clusters, answers }, 'cidr')).toBe(sets.size);
    expect(sets.size).toBeLessThan(150);
    expect(await ask({ clusters, answers }, 'scope')).toBe(150);
  });
});
