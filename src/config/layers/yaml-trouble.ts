import { YAMLError } from 'yaml';

/** The parser puts what it found into these, and what it found may be a password that begins with `!`, `*` or `|`. */
const OWN_WORDS: Partial<Record<YAMLError['code'], string>> = {
  TAG_RESOLVE_FAILED: 'a tag that is not known; a value that begins with ! wants quotes',
  BAD_COLLECTION_TYPE: 'a tag that does not fit; a value that begins with ! wants quotes',
  BAD_ALIAS: 'an alias or anchor without a right name; a value that begins with * or & wants quotes',
  BAD_DIRECTIVE: 'a directive that is not known; a value that begins with % wants quotes',
  BAD_DQ_ESCAPE: 'an escape that is not known; a backslash in double quotes is written twice',
};

/** Why YAML cannot be read, in words that hold nothing of the text itself. */
export function yamlTrouble(error: unknown): string {
  const own = error instanceof YAMLError ? OWN_WORDS[error.code] : undefined;
  const message = error instanceof Error ? error.message : String(error);
  // Behind the colon stands what was found.
  return own ?? message.split(':')[0] ?? '';
}
