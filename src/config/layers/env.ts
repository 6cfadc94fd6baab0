import { lookUp } from '../look-up.js';
import type { Problem } from '../problem.js';
import { readAssignment } from './assignment.js';
import type { Layer, LayersRead } from './layer.js';

const PREFIX = 'DFMGW__';
const SEPARATOR = '__';

/** The variables `DFMGW__SECTION__KEY`, whatever their case, as layers; a key wins over its section. */
export function readEnv(env: Readonly<Record<string, string | undefined>>): LayersRead {
  const layers: Layer[] = [];
  const problems: Problem[] = [];
  const spelledBy = new Map<string, string>();
  for (const name of ours(env)) {
    const steps = name.slice(PREFIX.length).split(SEPARATOR);
    const target = lookUp(steps, (step, key) => step.toLowerCase() === key.toLowerCase());
    const place = { kind: 'env' as const, name };
    const twin = spelledBy.get(name.toUpperCase());
    spelledBy.set(name.toUpperCase(), name);
    if (twin !== undefined) {
      problems.push({ path: target.path, place, found: `the same key as ${twin}`, allowed: 'one of them' });
      continue;
    }
    const read = readAssignment({ target, text: env[name] ?? '', place, spell });
    if ('tree' in read) layers.push(read);
    else problems.push(read);
  }
  return { layers, problems, complete: true };
}

function spell(path: readonly string[]): string {
  return PREFIX + path.join(SEPARATOR).toUpperCase();
}

function ours(env: Readonly<Record<string, string | undefined>>): string[] {
  const depth = (name: string) => name.split(SEPARATOR).length;
  return Object.keys(env)
    .filter((name) => name.toUpperCase().startsWith(PREFIX) && env[name] !== undefined)
    .sort()
    .sort((one, other) => depth(one) - depth(other));
}
