import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsOf, codeSpansOf, fencesOf, linksOf, pages } from '../support/documents.js';

const LANGUAGES = ['sh', 'yaml', 'json', 'promql', 'mermaid', 'text'];
/** Code in prose that is a path of the repository, and not a pattern of several. */
const PATH = /^(?:\.github|deploy|docs|proto|src|test)\/[\w./-]+$/;

/** Why it leads nowhere; undefined: it does not. */
function trouble(file: string, target: string): string | undefined {
  const [path = '', anchor] = target.split('#');
  const at = path === '' ? file : normalize(join(dirname(file), path));
  if (!existsSync(at)) return `${at} is not there`;
  if (anchor === undefined) return undefined;
  if (!statSync(at).isFile()) return `${at} is no page`;
  return anchorsOf(readFileSync(at, 'utf8')).includes(anchor) ? undefined : `${at} has no heading #${anchor}`;
}

describe.each(pages().map((page) => [page.file, page.text] as const))('%s', (file, text) => {
  it('links to what is there', () => {
    const near = linksOf(text).filter((target) => !/^[a-z]+:/.test(target));
    expect(near.flatMap((target) => trouble(file, target) ?? [])).toEqual([]);
  });

  it('names files that are there', () => {
    const named = codeSpansOf(text).filter((code) => PATH.test(code));
    expect(named.filter((path) => !existsSync(path))).toEqual([]);
  });

  it('says of each block what it is', () => {
    const unknown = fencesOf(text).filter(({ language }) => !LANGUAGES.includes(language));
    expect(unknown).toEqual([]);
  });
});

describe('a link', () => {
  it('to a page or a heading that is not there is found', () => {
    expect(trouble('docs/logs.md', 'nowhere.md')).toBe('docs/nowhere.md is not there');
    expect(trouble('docs/logs.md', '../README.md#no-such')).toBe('README.md has no heading #no-such');
    expect(trouble('docs/logs.md', '../README.md#operation')).toBe(undefined);
  });

  it('may stand in a line, a picture or a table, and not in code', () => {
    expect(
      linksOf('see [a](a.md), ![b](b.png) | <img src="c.png"> | `[d](d.md)`\n```\n[e](e.md)\n```'),
    ).toEqual(['a.md', 'b.png', 'c.png']);
    expect(anchorsOf('# A `b` – c\n## 1. A [d](e.md)\n## 1. A d')).toEqual(['a-b--c', '1-a-d', '1-a-d-1']);
  });
});
