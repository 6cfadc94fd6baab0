import { list, text, time, unexpected } from '../../redis/reply.js';

/** One place where an answer may lie. */
export type Place =
  | { readonly kind: 'none' | 'too-large' | 'other-type' }
  | { readonly kind: 'value'; readonly value: Buffer };

export interface LookedUp {
  /** Redis's time, µs. */
  readonly atUs: number;
  readonly places: readonly Place[];
  /** When was written to each tag, and which of them were deletions, µs; undefined: never. */
  readonly writtenUs: readonly (number | undefined)[];
  readonly deletedUs: readonly (number | undefined)[];
}

export interface Pulse {
  readonly atUs: number;
  readonly written: readonly (readonly [tag: string, atUs: number])[];
  readonly deleted: readonly (readonly [tag: string, atUs: number])[];
}

/** What LOOK_UP said. Throws on anything that it would not say: a Redis that lies is treated like one that fails. */
export function readLookedUp(reply: unknown, places: number, tags: number): LookedUp {
  const [at, answers, written, deleted] = list(reply, 4);
  return {
    atUs: time(at),
    places: list(answers, places).map(readPlace),
    writtenUs: list(written, tags).map(timeOrNever),
    deletedUs: list(deleted, tags).map(timeOrNever),
  };
}

/** What PULSE said. Throws on anything else. */
export function readPulse(reply: unknown): Pulse {
  const [at, written, deleted] = list(reply, 3);
  return { atUs: time(at), written: pairs(written), deleted: pairs(deleted) };
}

function readPlace(place: unknown): Place {
  const [kind, value] = list(place);
  switch (text(kind)) {
    case 'value':
      if (!Buffer.isBuffer(value)) throw unexpected();
      return { kind: 'value', value };
    case 'none':
      return { kind: 'none' };
    case 'too-large':
      return { kind: 'too-large' };
    case 'other-type':
      return { kind: 'other-type' };
    default:
      throw unexpected();
  }
}

function pairs(value: unknown): [string, number][] {
  const all = list(value);
  const found: [string, number][] = [];
  for (let i = 0; i < all.length; i += 2) found.push([text(all[i]), time(all[i + 1])]);
  return found;
}

function timeOrNever(value: unknown): number | undefined {
  return Buffer.isBuffer(value) && value.length === 0 ? undefined : time(value);
}
