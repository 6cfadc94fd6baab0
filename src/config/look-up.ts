import type { KeyMeta, SectionMeta } from './keys/registry.js';
import { keyMetas, sectionMetas } from './keys/registry.js';
import { schema } from './schema.js';

/** What a path leads to. `path` is as the schema spells it. */
export type Found =
  | { readonly kind: 'section'; readonly path: readonly string[]; readonly meta: SectionMeta }
  | {
      readonly kind: 'key';
      readonly path: readonly string[];
      readonly meta: KeyMeta;
      readonly rest: readonly string[];
    }
  | {
      readonly kind: 'unknown';
      readonly path: readonly string[];
      readonly name: string;
      readonly within: SectionMeta;
    };

const root = sectionMetas.get(schema) as SectionMeta;

/**
 * Follows `steps` through the schema. `rest` is what was left when a key was reached: indexes of its list.
 * `sameName` says when a step means a name: exactly in YAML, whatever the case in env.
 */
export function lookUp(
  steps: readonly string[],
  sameName: (step: string, name: string) => boolean = (step, name) => step === name,
): Found {
  let meta = root;
  const path: string[] = [];
  for (const [index, step] of steps.entries()) {
    const entry = Object.entries(meta.shape).find(([name]) => sameName(step, name));
    if (entry === undefined) return { kind: 'unknown', path, name: step, within: meta };
    const [name, child] = entry;
    path.push(name);
    const key = keyMetas.get(child);
    if (key !== undefined) return { kind: 'key', path, meta: key, rest: steps.slice(index + 1) };
    meta = sectionMetas.get(child) as SectionMeta;
  }
  return { kind: 'section', path, meta };
}

/** Every key of the schema, in the order of the docs. */
export function everyKey(): readonly Extract<Found, { kind: 'key' }>[] {
  return keysOf(root, []);
}

function keysOf(section: SectionMeta, above: readonly string[]): Extract<Found, { kind: 'key' }>[] {
  return Object.entries(section.shape).flatMap(([name, child]) => {
    const path = [...above, name];
    const meta = keyMetas.get(child);
    if (meta !== undefined) return [{ kind: 'key' as const, path, meta, rest: [] }];
    return keysOf(sectionMetas.get(child) as SectionMeta, path);
  });
}
