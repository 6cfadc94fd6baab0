import { describe, expect, it } from 'vitest';
import { bench } from '../support/data-path.js';
import { callerOf, directAnswer, LIST, searching, type World } from '../support/searcher-replies.js';

/** Ten thousand: test/hard/numbers. */
const DAEMONS = Number(process.env.DAEMONS ?? 600);
/** Enough that each kind of daemon is among them; they come every 15 s. */
const TOGETHER = DAEMONS / 4;
const POLL_MS = 60_000;
const POLLS = 5;
const IDCS = ['', 'idc-a', 'idc-b', 'idc-c'];
const LOCATIONS = ['', 'asia|cn|hz', 'eu|de'];
const PLACES = IDCS.length * LOCATIONS.length;

const cluster = (id: number, scopes: World[number]['scopes'], isDefault = false): World[number] => ({
  id,
  name: `c${id}`,
  scopes,
  isDefault,
  schedulers: 2,
});
const PLAIN: World = [
  cluster(1, {}, true),
  cluster(2, { idc: 'idc-a|idc-c' }),
  cluster(3, { location: 'asia|cn|hz' }),
];
const WITH_BLOCKS: World = [
  ...PLAIN,
  cluster(4, { cidrs: ['10.0.0.0/9', '10.128.0.0/10'] }),
  cluster(5, { cidrs: ['10.0.0.0/10'] }),
];
const WITH_HOSTS: World = [...PLAIN, cluster(6, { hostnames: ['^gpu-'] })];

/** Daemons with names and addresses of their own, spread over places and 10.0.0.0/8. */
const daemons = Array.from({ length: DAEMONS }, (_, n) => ({
  source_type: 'PEER_SOURCE',
  hostname: `${n % 7 === 0 ? 'gpu' : 'node'}-${n}`,
  ip: `10.${(n * 37) % 256}.${(n >> 8) % 256}.${n % 256}`,
  idc: IDCS[n % IDCS.length] ?? '',
  location: LOCATIONS[Math.floor(n / IDCS.length) % LOCATIONS.length] ?? '',
}));

/** Every daemon polls once a minute, all at a moment of its own. Calls at the manager, poll by poll. */
async function fiveMinutes(world: World, sharing: string): Promise<number[]> {
  const { clock, upstream, path, read } = bench(`cache: { sharing: ${sharing} }`);
  upstream.auto = searching(() => world);
  const reads = daemons.map((daemon) => read(LIST, daemon));
  const direct = reads.map(({ message }) => directAnswer(world, callerOf({ message })));
  const calls: number[] = [];
  for (let poll = 0; poll < POLLS; poll++) {
    const before = upstream.attempts;
    for (const [n, daemon] of reads.entries()) {
      const { reply } = await path.answerRead(daemon);
      if (direct[n]?.equals(reply.message ?? Buffer.alloc(0)) !== true)
        expect(daemons[n]).toBe('answered as directly');
      if (n % TOGETHER === TOGETHER - 1) clock.advance((POLL_MS * TOGETHER) / DAEMONS);
    }
    calls.push(upstream.attempts - before);
  }
  return calls;
}

describe(`${DAEMONS} daemons that poll every 60 s for 5 minutes, each answered as the manager would have answered it`, () => {
  // Fresh for 30 s: twice in each minute.
  const TTLS_PER_POLL = 2;

  it.each(['scope', 'cidr'])(
    'without cidrs and hostnames cost one call per idc, location and TTL with sharing: %s',
    async (sharing) => {
      const calls = await fiveMinutes(PLAIN, sharing);
      expect(calls).toEqual(new Array(POLLS).fill(PLACES * TTLS_PER_POLL));
    },
    300_000,
  );

  it('with cidrs and sharing: cidr cost one call per place, set of matching blocks and TTL', async () => {
    // 10.0/10 lies within 10.0/9: both, the wider alone, the other, none.
    const sets = 4;
    const calls = await fiveMinutes(WITH_BLOCKS, 'cidr');
    expect(calls).toEqual(new Array(POLLS).fill(PLACES * sets * TTLS_PER_POLL));
  }, 300_000);

  it.each([
    ['cidrs', WITH_BLOCKS, 'scope'],
    ['hostnames', WITH_HOSTS, 'scope'],
    ['hostnames', WITH_HOSTS, 'cidr'],
  ])(
    'with %s cost one call per daemon and exactTtl (sharing: $2)',
    async (_, world, sharing) => {
      // Fresh for 120 s, then given once more while it is refreshed: asked at minutes 0, 2 and 4.
      expect(await fiveMinutes(world, sharing)).toEqual([DAEMONS, 0, DAEMONS, 0, DAEMONS]);
    },
    300_000,
  );
});
