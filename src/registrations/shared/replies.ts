import { list, text, time, unexpected } from '../../redis/reply.js';

/** A word of a script, and the stamp of what it speaks of, µs on Redis's clock. */
export interface Stamped<Word extends string> {
  readonly word: Word;
  readonly stampUs: number;
}

/** One kind of what is there of a node; `value` undefined: nothing that a deletion has not undone. */
export interface PlaceThere {
  readonly stampUs: number;
  readonly value: Buffer | undefined;
}

export interface FoundThere {
  /** Of the newest deletion that names the node; 0: none. */
  readonly deletedUs: number;
  readonly known: PlaceThere;
  readonly pending: PlaceThere;
  /** What has become of it may have been forgotten, and not be told again yet. */
  readonly maybeOutdated: boolean;
}

/** With what time it was at Redis, µs. */
export interface Timed<T> {
  readonly atUs: number;
  readonly said: T;
}

export interface Listed {
  readonly node: string;
  readonly stampUs: number;
  readonly value: Buffer | undefined;
}

export function readStamped<Word extends string>(reply: unknown, words: readonly Word[]): Stamped<Word> {
  const [said, at] = list(reply, 2);
  const word = words.find((one) => one === text(said));
  if (word === undefined) throw unexpected();
  return { word, stampUs: time(at) };
}

export function readFound(reply: unknown): FoundThere {
  const [deleted, known, pending, young] = list(reply, 4);
  const maybeOutdated = text(young) === '1';
  return { deletedUs: time(deleted), known: place(known), pending: place(pending), maybeOutdated };
}

export function readListed(reply: unknown): readonly Listed[] {
  return list(reply).map((one) => {
    const [node, at, value] = list(one, 3);
    return { node: text(node), stampUs: time(at), value: bytes(value) };
  });
}

export interface Audited {
  readonly there: readonly boolean[];
  readonly generation: string;
}

export function readAudited(reply: unknown, count: number): Timed<Audited> {
  const [at, known, generation] = list(reply, 3);
  const there = list(known, count).map((one) => text(one) === '1');
  return { atUs: time(at), said: { there, generation: text(generation) } };
}

export function readTurn(reply: unknown): Timed<string> {
  const [word, at] = list(reply, 2);
  return { atUs: time(at), said: text(word) };
}

function place(value: unknown): PlaceThere {
  const [at, found] = list(value, 2);
  return { stampUs: time(at), value: bytes(found) };
}

function bytes(value: unknown): Buffer | undefined {
  if (!Buffer.isBuffer(value)) throw unexpected();
  return value.length === 0 ? undefined : value;
}
