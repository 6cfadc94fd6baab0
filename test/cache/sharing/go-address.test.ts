import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { contains, parseAddress, parseBlock } from '../../../src/cache/sharing/go-address.js';

/** Made by Go: `test/hard/go-address`. `net`: as v2.5.1's searcher reads it, `netip`: as later ones do. */
type Vectors = {
  readonly addresses: readonly { text: string; valid: boolean }[];
  readonly blocks: readonly { text: string; net: boolean; netip: boolean }[];
  readonly matches: readonly { ip: string; cidr: string; net: boolean; netip: boolean }[];
};

const vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/go-addresses.json', import.meta.url), 'utf8'),
) as Vectors;

/** Valid for Go, but not for us: an IPv4 block in IPv6 clothes, of which its two packages think differently. */
const isMapped = (text: string): boolean => /^(::ffff:|0:0:0:0:0:ffff:)/i.test(text);

describe("Go's rules", () => {
  it('for addresses are ours', () => {
    const wrong = vectors.addresses.filter(({ text, valid }) => (parseAddress(text) !== undefined) !== valid);
    expect(wrong).toEqual([]);
    expect(vectors.addresses.filter(({ valid }) => valid).length).toBeGreaterThan(50);
  });

  it('for blocks are ours where both of its packages agree, and nothing else is read', () => {
    const wrong = vectors.blocks.filter(({ text, net, netip }) => {
      const expected = net && netip && !isMapped(text);
      return (parseBlock(text) !== undefined) !== expected;
    });
    expect(wrong).toEqual([]);
    expect(vectors.blocks.some(({ net, netip }) => net !== netip)).toBe(true);
  });

  it('say which addresses are in which blocks', () => {
    let compared = 0;
    let inside = 0;
    for (const { ip, cidr, net, netip } of vectors.matches) {
      const address = parseAddress(ip);
      const block = parseBlock(cidr);
      if (address === undefined || block === undefined) continue;
      expect([net, netip], `${ip} in ${cidr}`).toEqual([contains(block, address), contains(block, address)]);
      compared++;
      inside += Number(net);
    }
    expect(compared).toBeGreaterThan(300);
    expect(inside).toBeGreaterThan(100);
  });
});
