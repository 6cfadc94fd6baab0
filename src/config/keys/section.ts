import { z } from 'zod';
import { sectionMetas } from './registry.js';

type Shape = Readonly<Record<string, z.ZodType>>;

/** A section: unknown keys are refused, and a section that is left out is all defaults. */
export function section<S extends Shape>(description: string, shape: S) {
  // `{}` is a valid input because every key has a default; the compiler cannot see that through the type parameter.
  const schema = z.strictObject(shape).prefault({} as never);
  sectionMetas.set(schema, { description, shape });
  return schema;
}
