import { z } from 'zod';
import { type KeyMeta, keyMetas } from './registry.js';

type Range = { readonly min: number; readonly max?: number };

/** Registers what is said about a key. Everything but its words has a usual value. */
export function describe<S extends z.ZodType>(
  schema: S,
  meta: Pick<KeyMeta, 'description' | 'allowed' | 'written'> & Partial<KeyMeta>,
): S {
  keyMetas.set(schema, { literal: false, secret: false, choices: [], ...meta });
  return schema;
}

/** A whole number. `unit` names what is counted. */
export function integer(written: number, range: Range, unit: string, description: string) {
  const schema = z
    .int()
    .min(range.min)
    .max(range.max ?? Number.MAX_SAFE_INTEGER)
    .prefault(written);
  return describe(schema, {
    description,
    allowed: `whole number${rangeText(range)}${unitText(unit)}`,
    written,
  });
}

/** A number, fractions allowed. */
export function decimal(written: number, range: Range, unit: string, description: string) {
  const schema = z
    .number()
    .min(range.min)
    .max(range.max ?? Number.MAX_VALUE)
    .prefault(written);
  return describe(schema, { description, allowed: `number${rangeText(range)}${unitText(unit)}`, written });
}

export function flag(written: boolean, description: string) {
  return describe(z.boolean().prefault(written), { description, allowed: 'true or false', written });
}

export function choice<const T extends string>(written: T, choices: readonly T[], description: string) {
  const schema = z.enum(choices as [T, ...T[]]).prefault(written as never);
  return describe(schema, { description, allowed: choices.join(', '), written, literal: true, choices });
}

export function text(written: string, description: string) {
  return describe(z.string().prefault(written), { description, allowed: 'text', written, literal: true });
}

/** Text that is never shown. */
export function secretText(description: string) {
  const schema = z.string().prefault('');
  return describe(schema, { description, allowed: 'text', written: '', literal: true, secret: true });
}

/** The path of a PEM file, or the PEM itself; read by pem.ts when everything else is in order. */
export function pem(what: string, description: string) {
  const allowed = `${what}: path of a PEM file, or the PEM itself`;
  return describe(z.string().prefault(''), { description, allowed, written: '', literal: true });
}

function rangeText({ min, max }: Range): string {
  return max === undefined ? `, at least ${min}` : ` from ${min} to ${max}`;
}

function unitText(unit: string): string {
  return unit === '' ? '' : ` (${unit})`;
}
