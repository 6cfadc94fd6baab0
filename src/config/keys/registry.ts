import type { z } from 'zod';

/** What people are told about one key: in the docs, in the example file, and when its value is refused. */
export type KeyMeta = {
  /** One sentence. */
  readonly description: string;
  /** The values it takes, units included. */
  readonly allowed: string;
  /** The default as one would write it in YAML; undefined: `writtenNote` says what holds instead. */
  readonly written: unknown;
  readonly writtenNote?: string;
  /** The value is text: from env and `--set` it is taken as it stands, so "[::]:65003" or a password of digits need no quotes. */
  readonly literal: boolean;
  /** Never shown, not even when it is refused. */
  readonly secret: boolean;
  /** For "did you mean". */
  readonly choices: readonly string[];
};

/** A section of the YAML: its keys and sections by name, in the order of the docs. */
export type SectionMeta = {
  readonly description: string;
  readonly shape: Readonly<Record<string, z.ZodType>>;
};

/** zod schemas → what is said about them. The docs, the refusals and the lookup of env names all read these two. */
export const keyMetas = new WeakMap<z.ZodType, KeyMeta>();
export const sectionMetas = new WeakMap<z.ZodType, SectionMeta>();
