/**
 * Addresses and network blocks as the manager's searcher reads them: v2.5.1 with Go's net.ParseIP and net.ParseCIDR,
 * later ones with net/netip. Where the two differ (leading zeros in a length, IPv4 in IPv6 clothes as a block), a block
 * is not read here, so that nothing hangs on the manager's version. Tested by vectors that Go made.
 */

/** 4 or 16 bytes; an IPv4 address in IPv6 clothes is the IPv4 address it is. */
export type Address = readonly number[];

export interface Block {
  readonly network: Address;
  readonly bits: number;
}

/** As net.ParseIP, which knows no zones. */
export function parseAddress(text: string): Address | undefined {
  const bytes = text.includes(':') ? parseIPv6(text) : parseIPv4(text);
  return bytes !== undefined && isMapped(bytes) ? bytes.slice(12) : bytes;
}

export function parseBlock(text: string): Block | undefined {
  const [, address = '', length = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const network = address.includes(':') ? parseIPv6(address) : parseIPv4(address);
  const bits = Number(length);
  if (network === undefined || isMapped(network) || length === '' || bits > network.length * 8)
    return undefined;
  return { network, bits };
}

/** Bits beyond the length do not count, on either side. */
export function contains({ network, bits }: Block, address: Address): boolean {
  if (network.length !== address.length) return false;
  return network.every((byte, index) => {
    const own = Math.min(8, Math.max(0, bits - index * 8));
    const mask = (0xff << (8 - own)) & 0xff;
    return (byte & mask) === ((address[index] ?? 0) & mask);
  });
}

const isMapped = (bytes: Address): boolean =>
  bytes.length === 16 && bytes.every((byte, index) => index > 11 || byte === (index > 9 ? 0xff : 0));

/** Four decimal numbers without leading zeros. */
function parseIPv4(text: string): Address | undefined {
  const fields = text.split('.');
  if (fields.length !== 4 || !fields.every((field) => /^(0|[1-9]\d{0,2})$/.test(field))) return undefined;
  const bytes = fields.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseIPv6(text: string): Address | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => groups(half, index === halves.length - 1));
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 16 ? head : undefined;
  if (tail === undefined) return undefined;
  const zeros = 16 - head.length - tail.length;
  // "::" stands for one group at least.
  return zeros < 2 ? undefined : [...head, ...new Array<number>(zeros).fill(0), ...tail];
}

/** Bytes of groups between colons; the last may be an IPv4 address. */
function groups(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return [];
  const fields = text.split(':');
  const bytes: number[] = [];
  for (const [index, field] of fields.entries()) {
    const dotted = isLast && index === fields.length - 1 ? parseIPv4(field) : undefined;
    if (dotted !== undefined) {
      bytes.push(...dotted);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(field)) return undefined;
      const value = Number.parseInt(field, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}
