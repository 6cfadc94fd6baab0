import { createHash } from 'node:crypto';

/** JSON of an array of strings is injective: no two tuples share a text. */
export function keyOf(parts: readonly string[]): { key: string; parts: readonly string[] } {
  return { key: createHash('sha256').update(JSON.stringify(parts)).digest('base64url'), parts };
}
