import { list, text, time, unexpected } from '../../redis/reply.js';

/** A claim as it lies in Redis: `<since, µs> <replica>`. */
export interface Holding {
  readonly text: string;
  readonly since: string;
  readonly replica: string;
}

/** Where a claim came from. `mine`: it was ours already, or its holder has given it to us. */
export type Whence = 'nobody' | 'expired' | 'forced' | 'recovered' | 'mine';

export type Taken =
  | {
      readonly kind: 'yours';
      /** The moment of the claim, which names it. */
      readonly since: string;
      readonly whence: Whence;
      /** As it lies in Redis, sealed; undefined: none does. */
      readonly record: Buffer | undefined;
    }
  /** Its holder has been asked to give it up. */
  | { readonly kind: 'asked'; readonly holder: Holding }
  /** Somebody was asked to take it later than we were, or has a newer stream of it. */
  | { readonly kind: 'superseded' | 'lost'; readonly holder: Holding }
  | { readonly kind: 'no'; readonly holder: Holding | undefined }
  /** Redis keeps as many as it may. */
  | { readonly kind: 'full' };

export type Yielded = { readonly kind: 'given' | 'late'; readonly to: Holding } | { readonly kind: 'free' };

export interface Watched {
  readonly key: string;
  readonly holder: Holding | undefined;
  /** Who was the last to ask for it. */
  readonly wisher: Holding | undefined;
}

export interface Look {
  /** Held by us, and wanted by others. */
  readonly wanted: readonly string[];
  readonly reassert: readonly string[];
  readonly watched: readonly Watched[];
  /** Their holders are dead or leaving. */
  readonly candidates: readonly string[];
  /** Replicas that take over nodes. */
  readonly others: number;
  /** Has it kept what we said before? */
  readonly remembers: boolean;
  /** With another one it may have forgotten what has happened of late. */
  readonly generation: string;
  /** Of the generation. */
  readonly ageMs: number;
}

const WHENCE: readonly Whence[] = ['nobody', 'expired', 'forced', 'recovered', 'mine'];

export function readTaken(reply: unknown): Taken {
  const [kind, first, second, , stored] = list(reply);
  switch (text(kind)) {
    case 'yours': {
      const whence = WHENCE.find((one) => one === text(second));
      if (whence === undefined || !Buffer.isBuffer(stored)) throw unexpected();
      return { kind: 'yours', since: text(first), whence, record: stored.length === 0 ? undefined : stored };
    }
    case 'asked':
      return { kind: 'asked', holder: holding(first) };
    case 'superseded':
      return { kind: 'superseded', holder: holding(first) };
    case 'lost':
      return { kind: 'lost', holder: holding(first) };
    case 'no':
      return { kind: 'no', holder: holdingOrNone(first) };
    case 'full':
      return { kind: 'full' };
    default:
      throw unexpected();
  }
}

export function readYielded(reply: unknown): Yielded {
  const [kind, to] = list(reply, 2);
  switch (text(kind)) {
    case 'given':
      return { kind: 'given', to: holding(to) };
    case 'late':
      return { kind: 'late', to: holding(to) };
    case 'free':
      return { kind: 'free' };
    default:
      throw unexpected();
  }
}

export function readLost(reply: unknown, count: number): readonly number[] {
  const places = list(reply).map((place) => Number(text(place)));
  if (places.some((place) => !Number.isInteger(place) || place < 0 || place >= count)) throw unexpected();
  return places;
}

export function readCount(reply: unknown): number {
  const count = Number(text(reply));
  if (!Number.isInteger(count)) throw unexpected();
  return count;
}

export function readLook(reply: unknown, keys: readonly string[]): Look {
  const [wanted, reassert, watched, candidates, others, before, generation, ageUs] = list(reply, 8);
  const holders = list(watched, 2 * keys.length);
  return {
    wanted: list(wanted).map(text),
    reassert: list(reassert).map(text),
    watched: keys.map((key, i) => ({
      key,
      holder: holdingOrNone(holders[2 * i]),
      wisher: holdingOrNone(holders[2 * i + 1]),
    })),
    candidates: list(candidates).map(text),
    others: readCount(others),
    remembers: text(before) === '1',
    generation: text(generation),
    ageMs: time(ageUs) / 1_000,
  };
}

function holdingOrNone(value: unknown): Holding | undefined {
  return text(value) === '' ? undefined : holding(value);
}

function holding(value: unknown): Holding {
  const found = text(value);
  const [, since, replica] = /^(\d+) (.*)$/.exec(found) ?? [];
  if (since === undefined || replica === undefined) throw unexpected();
  return { text: found, since, replica };
}
