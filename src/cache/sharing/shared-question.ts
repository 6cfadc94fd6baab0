import { keyOf } from '../../rpc/key.js';
import type { Question } from '../../rpc/question.js';
import { type Asker, askerOf, SHARED, sharedParts } from './asker.js';
import { contains, parseAddress } from './go-address.js';
import type { Dependence } from './knowledge.js';

/**
 * The manager compares with Go's strings.EqualFold; letters beyond ASCII are left as they are, which only keeps apart
 * what it would not.
 */
export function foldCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The question that all ask who would get the same answer as `asker`; `own`, if nobody else surely does. */
export function sharedQuestion(own: Question, asker: Asker, dependence: Dependence): Question {
  const parts = partsOf(asker, dependence);
  if (parts === undefined) return own;
  const common = own.parts.slice(0, 4);
  return { ...own, ...keyOf([...common, SHARED, ...parts]), audience: 'common' };
}

/** Is it asked only to find out who would get the same? */
export function isUndecided(question: Question): boolean {
  return sharedParts(question)?.[0] === 'unknown';
}

/**
 * The question of those who do not know yet with whom they would share the answer to `question`. Undefined: nobody asks so.
 */
export function undecidedOf(question: Question): Question | undefined {
  const [kind, about = ''] = sharedParts(question) ?? [];
  const asker =
    kind === undefined ? askerOf(question) : { clusterId: kind === 'cluster' ? about : undefined };
  if (asker === undefined || kind === 'unknown') return undefined;
  const parts = [...question.parts.slice(0, 4), SHARED, 'unknown', asker.clusterId ?? ''];
  return { ...question, ...keyOf(parts), audience: 'common' };
}

function partsOf(asker: Asker, dependence: Dependence): readonly string[] | undefined {
  const place = [foldCase(asker.idc), foldCase(asker.location)];
  switch (dependence.kind) {
    case 'own':
      return undefined;
    // Asked by all as one, so that the first answer decides for all; nothing is ever kept under it.
    case 'unknown':
      return ['unknown', asker.clusterId ?? ''];
    case 'cluster':
      return ['cluster', asker.clusterId ?? ''];
    case 'place':
      return ['place', ...place];
    case 'blocks': {
      const address = parseAddress(asker.ip);
      if (address === undefined) return undefined;
      const all = [...dependence.blocks.keys()].sort();
      const matching = [...dependence.blocks].filter(([, block]) => contains(block, address));
      // All blocks are part of it: with others, other callers would have had the same answer.
      return ['blocks', ...place, JSON.stringify(matching.map(([text]) => text).sort()), JSON.stringify(all)];
    }
    default:
      return dependence satisfies never;
  }
}
