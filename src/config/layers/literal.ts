import { parseDocument } from 'yaml';
import type { Found } from '../look-up.js';
import { yamlTrouble } from './yaml-trouble.js';

/** The value of an env variable or a `--set`, or why there is none. */
export type Literal =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'bad'; readonly why: string };

/**
 * Reads `text` as what `target` holds: text stays as it is, everything else is YAML (`true`, `25`, `["a:1", "b:1"]`,
 * `{ttl: 5s}`). Quotes round text are taken off, so that a habit from YAML does no harm.
 */
export function readLiteral(text: string, target: Found): Literal {
  const isText = target.kind === 'key' && target.meta.literal;
  if (isText && !/^(["']).*\1$/s.test(text)) return { kind: 'value', value: text };
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  const trouble = document.errors[0] ?? document.warnings[0];
  if (trouble !== undefined)
    return isText ? { kind: 'value', value: text } : { kind: 'bad', why: yamlTrouble(trouble) };
  try {
    return { kind: 'value', value: document.toJS() };
  } catch (error) {
    return { kind: 'bad', why: yamlTrouble(error) };
  }
}
