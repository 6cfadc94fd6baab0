import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';

/** What is looked for, by its name: text, or bytes such as the number that a private key is. */
export type Words = Readonly<Record<string, string | Buffer>>;

/** How often an encoding is undone within another. */
const DEPTH = 2;

/** Names of those that are there: as they are, in hex, percent-encoded, or in base64 (also of base64, and broken into lines). */
export function found(where: readonly Buffer[], words: Words): string[] {
  const all = where.flatMap((bytes) => readings(bytes, DEPTH));
  return Object.entries(words).flatMap(([name, word]) => {
    const written = writings(Buffer.from(word));
    return all.some((bytes) => written.some((one) => bytes.includes(one))) ? [name] : [];
  });
}

/** In letters of either case; percent-encoded as a whole, or only where it must be. */
function writings(word: Buffer): readonly Buffer[] {
  const hex = word.toString('hex');
  const percent = hex.replaceAll(/../g, '%$&');
  const usual = encodeURIComponent(word.toString('latin1'));
  const texts = [hex, hex.toUpperCase(), percent, percent.toUpperCase(), usual];
  return [word, ...texts.map((text) => Buffer.from(text))];
}

/** The bytes, and what they are when every run of letters in them is taken for base64. */
function readings(bytes: Buffer, depth: number): readonly Buffer[] {
  if (depth === 0) return [bytes];
  const text = bytes.toString('latin1');
  // Line breaks may stand in the middle of it, as such or as JSON writes them.
  const runs = [text, text.replaceAll(/\\[rn]|\s/g, '')].flatMap(
    (one) => one.match(/[A-Za-z0-9+/_-]{16,}/g) ?? [],
  );
  // Where letters stand before it, it may begin at any of four.
  return [
    bytes,
    ...[0, 1, 2, 3].flatMap((from) => {
      const decoded = runs.flatMap((run) => [Buffer.from(run.slice(from), 'base64'), Buffer.from('\n')]);
      return decoded.length === 0 ? [] : readings(Buffer.concat(decoded), depth - 1);
    }),
  ];
}

/** Everything that is in Redis: names and values of every kind. */
export async function everythingIn(client: Redis): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for (const name of await client.keysBuffer('*')) {
    all.push(name);
    switch (await client.type(name)) {
      case 'string':
        all.push((await client.getBuffer(name)) ?? Buffer.alloc(0));
        break;
      case 'hash':
        all.push(...Object.keys(await client.hgetall(name)).map((field) => Buffer.from(field)));
        all.push(...(await client.hvalsBuffer(name)));
        break;
      case 'zset':
        all.push(...(await client.zrangeBuffer(name, '0', '-1')));
        break;
      case 'set':
        all.push(...(await client.smembersBuffer(name)));
        break;
      case 'list':
        all.push(...(await client.lrangeBuffer(name, 0, -1)));
        break;
      case 'none':
        // It has lapsed since.
        break;
      default:
        throw new Error(`what is ${name.toString()}?`);
    }
  }
  return all;
}

/** Contents by name, of a folder and all that are in it. */
export function filesIn(path: string): Record<string, Buffer> {
  const names = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    names.map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name))]),
  );
}
