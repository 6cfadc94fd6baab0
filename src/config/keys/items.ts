import { z } from 'zod';
import { isTree, type Tree } from '../tree.js';

/** Says what is wrong, and where below what is being read. */
export type Complain = (path: readonly (string | number)[], message: string) => void;

/** A list of sections, [] where none is given. Every mistake is told where it stands: `server.clients.rules[2].methods[0]`. */
export function items<T>(
  read: (item: unknown, complain: Complain) => T,
  checkAll: (read: readonly T[], complain: Complain) => void = () => undefined,
) {
  return z
    .array(z.unknown())
    .prefault([])
    .transform((all, context): readonly T[] => {
      const complain: Complain = (path, message) =>
        context.addIssue({ code: 'custom', path: [...path], message });
      const found = all.map((item, index) => read(item, below(complain, index)));
      checkAll(found, complain);
      return found;
    });
}

/** For what stands at `step`. */
export function below(complain: Complain, step: string | number): Complain {
  return (path, message) => complain([step, ...path], message);
}

/** undefined: it is none. Keys that are not among `keys` are complained about. */
export function section(item: unknown, keys: readonly string[], complain: Complain): Tree | undefined {
  if (!isTree(item)) {
    complain([], `it is not a section with ${keys.join(', ')}`);
    return undefined;
  }
  for (const key of Object.keys(item)) {
    if (!keys.includes(key)) complain([key], `an unknown key; there are ${keys.join(', ')}`);
  }
  return item;
}
