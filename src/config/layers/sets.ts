import { lookUp } from '../look-up.js';
import type { Problem } from '../problem.js';
import { readAssignment } from './assignment.js';
import type { Layer, LayersRead } from './layer.js';

/** The `--set path=value`s as layers, the last one winning. */
export function readSets(sets: readonly string[]): LayersRead {
  const layers: Layer[] = [];
  const problems: Problem[] = [];
  for (const set of sets) {
    const equals = set.indexOf('=');
    const key = (equals < 0 ? set : set.slice(0, equals)).trim();
    const place = { kind: 'set' as const, key };
    if (equals < 0) {
      problems.push({ path: [], place, found: 'no "="', allowed: 'path=value, such as log.level=debug' });
      continue;
    }
    // "addrs[0]" is "addrs" and then "0": known, and refused as below a key.
    const steps = key.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
    const read = readAssignment({
      target: lookUp(steps),
      text: set.slice(equals + 1),
      place,
      spell: (path) => path.join('.'),
    });
    if ('tree' in read) layers.push(read);
    else problems.push(read);
  }
  return { layers, problems, complete: true };
}
