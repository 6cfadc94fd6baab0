import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Book, createBook } from '../../src/registrations/book.js';
import { createJournal, type Journal, journalFile } from '../../src/registrations/journal.js';
import type { JournalRecord } from '../../src/registrations/record.js';
import type { Registration } from '../../src/registrations/registration.js';
import { heldDirectory } from '../support/held-directory.js';

const CHILD = fileURLToPath(new URL('../support/journal-process.mjs', import.meta.url));

let dir: string;
let open: Journal[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dfmgw-journal-'));
});
afterEach(async () => {
  await Promise.all(open.map((journal) => journal.close()));
  open = [];
  rmSync(dir, { recursive: true });
});

async function process(compactBytes?: number): Promise<{ book: Book; journal: Journal }> {
  const book = createBook();
  const journal = createJournal({
    directory: heldDirectory(dir),
    fleetId: 'f',
    book,
    ...(compactBytes === undefined ? {} : { compactBytes }),
  });
  open.push(journal);
  await journal.open();
  return { book, journal };
}

function registrationOf(hostname: string, over: Partial<Registration> = {}): Registration {
  const node = { kind: 'seed-peer', source: 'SEED_PEER_SOURCE', clusterId: '1', hostname } as const;
  return { node, path: '/p', ip: '127.0.0.1', port: 1, request: Buffer.from(hostname), ...over };
}

const pendingOf = (hostname: string): JournalRecord => ({
  kind: 'pending',
  registration: registrationOf(hostname),
  acknowledgedAtWallMs: 5,
});
const knownOf = (hostname: string): JournalRecord => ({
  kind: 'known',
  registration: registrationOf(hostname),
  reply: {
    headers: { a: 'b' },
    message: Buffer.from([1]),
    status: { code: 0, message: '' },
    trailers: { c: ['d', 'e'] },
  },
});
const names = (book: Book): string[] => book.pending().map(({ registration }) => registration.node.hostname);

describe('the journal', () => {
  it('says after a restart what it said before', async () => {
    const first = await process();
    const records = [
      knownOf('a'),
      pendingOf('a'),
      pendingOf('b'),
      { kind: 'settled', node: registrationOf('b').node },
    ];
    for (const record of records as JournalRecord[]) await first.journal.append(record);
    await first.journal.close();
    expect(statSync(journalFile(dir, 'f')).mode & 0o777).toBe(0o600);
    const { book } = await process();
    expect(names(book)).toEqual(['a']);
    expect(book.known(registrationOf('a'))?.reply).toEqual((knownOf('a') as { reply: unknown }).reply);
    expect(book.known(registrationOf('a', { port: 2 }))).toBeUndefined();
    expect(book.known(registrationOf('a', { path: '/v1' }))).toBeUndefined();
    expect(book.known(registrationOf('b'))).toBeUndefined();
  });

  it('keeps the newest of a node, and none that a deletion names', async () => {
    const { book, journal } = await process();
    const moved = { ...pendingOf('a'), registration: registrationOf('a', { ip: '127.0.0.2' }) };
    await journal.append(pendingOf('a'));
    await journal.append(moved as JournalRecord);
    expect(book.pending().map(({ registration }) => registration.ip)).toEqual(['127.0.0.2']);
    const deletion = { clusterId: '1', hostname: 'a', ip: '127.0.0.1' };
    await journal.append({ kind: 'deleted', deletion });
    expect(names(book)).toEqual(['a']);
    await journal.append({ kind: 'deleted', deletion: { ...deletion, ip: '' } });
    expect(names(book)).toEqual([]);
    await journal.close();
    expect(names((await process()).book)).toEqual([]);
  });

  it('is written anew when it has grown beyond what it says', async () => {
    const { journal } = await process(2_048);
    await journal.append(knownOf('a'));
    for (let n = 0; n < 200; n++) await journal.append(knownOf('a'));
    expect(statSync(journalFile(dir, 'f')).size).toBeLessThan(8_192);
    await journal.close();
    expect((await process()).book.known(registrationOf('a'))).toBeDefined();
  });

  it('acknowledges nothing that it could not write, and goes on when it can again', async () => {
    const { book, journal } = await process(1);
    await journal.append(pendingOf('a'));
    rmSync(dir, { recursive: true });
    await expect(journal.append(pendingOf('b'))).rejects.toThrow('ENOENT');
    expect(names(book)).toEqual(['a']);
    mkdirSync(dir);
    await journal.append(pendingOf('c'));
    await journal.close();
    expect(names((await process()).book)).toEqual(['a', 'c']);
  });
});

/** Hundreds of files are written and synced: a busy disk takes its time. */
const SYNCS_MS = 120_000;
/** A thousand, and twenty: test/hard/numbers. */
const FLIPS = Number(env.FLIPS ?? 150);
const KILLS = Number(env.KILLS ?? 6);

describe('damaged', () => {
  const hostnames = Array.from({ length: 3 }, (_, n) => `node-${n}`);

  async function written(): Promise<Buffer> {
    const { journal } = await process();
    for (const hostname of hostnames) await journal.append(pendingOf(hostname));
    await journal.close();
    return readFileSync(journalFile(dir, 'f'));
  }

  it(
    'cut at any byte, it says what is before the cut, and goes on',
    async () => {
      const bytes = await written();
      let most = 0;
      for (let length = 0; length <= bytes.length; length++) {
        writeFileSync(journalFile(dir, 'f'), bytes.subarray(0, length));
        const { book, journal } = await process();
        const left = names(book);
        expect(left).toEqual(hostnames.slice(0, left.length));
        expect(left.length).toBeGreaterThanOrEqual(most);
        most = left.length;
        await journal.close();
      }
      expect(most).toBe(hostnames.length);
    },
    SYNCS_MS,
  );

  it('with a bit flipped anywhere, it says all the others, and the damaged file is kept', {
    timeout: SYNCS_MS,
  }, async () => {
    const bytes = await written();
    let seed = 3;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (let time = 0; time < FLIPS; time++) {
      const flipped = Buffer.from(bytes);
      const at = random(bytes.length);
      flipped.writeUInt8((flipped[at] ?? 0) ^ (1 << random(8)), at);
      writeFileSync(journalFile(dir, 'f'), flipped);
      const { book, journal } = await process();
      const left = names(book);
      expect(left).toHaveLength(hostnames.length - 1);
      expect(hostnames.filter((name) => left.includes(name))).toEqual(left);
      await journal.close();
    }
    expect(existsSync(`${journalFile(dir, 'f')}.damaged`)).toBe(true);
  });
});

describe('killed', () => {
  it(`with SIGKILL, at any of ${KILLS} moments, it has lost nothing that was acknowledged`, {
    timeout: SYNCS_MS,
  }, async () => {
    const acknowledged = new Set<number>();
    for (let time = 0; time < KILLS; time++) {
      const child = spawn('node', [CHILD, dir, String(time * 1_000_000)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(child, 'exit');
      const wanted = 1 + Math.floor(Math.random() * 40);
      let heard = 0;
      const lines = createInterface({ input: child.stdout });
      for await (const line of lines) {
        acknowledged.add(Number(line));
        if (++heard === wanted) child.kill('SIGKILL');
      }
      expect((await exited)[1]).toBe('SIGKILL');
      const { book, journal } = await process();
      const there = new Set(book.pending().map(({ acknowledgedAtWallMs }) => acknowledgedAtWallMs));
      expect([...acknowledged].filter((n) => !there.has(n))).toEqual([]);
      await journal.close();
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(KILLS);
  });
});
