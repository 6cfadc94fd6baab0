import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A page for readers, by its path in the repository. */
export interface Page {
  readonly file: string;
  readonly text: string;
}

export interface Fence {
  /** What follows the three backticks. */
  readonly language: string;
  readonly lines: readonly string[];
}

export interface Command {
  readonly file: string;
  readonly text: string;
}

/** What a command line in prose begins with. */
const PROGRAMS =
  'manager-gateway|node dist/main\\.js|npm|npx|curl|docker|helm|kubectl|promtool|redis-cli|systemctl|journalctl|kill|git|go|cosign|sudo|cp|install|\\./test/run|\\.ci/run';
const INLINE = new RegExp(`^(?:${PROGRAMS}) \\S`);

/** Every page that is in the repository, or about to be. */
export function pages(): readonly Page[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    encoding: 'utf8',
  });
  return listed
    .split('\n')
    .filter((file) => file !== '' && !file.startsWith('test/'))
    .toSorted()
    .map((file) => ({ file, text: readFileSync(file, 'utf8') }));
}

export function fencesOf(text: string): readonly Fence[] {
  const fences: Fence[] = [];
  let open: { language: string; lines: string[] } | undefined;
  for (const line of text.split('\n')) {
    const mark = /^ *```(.*)$/.exec(line);
    if (mark === null) open?.lines.push(line);
    else if (open === undefined) open = { language: mark[1] ?? '', lines: [] };
    else {
      fences.push(open);
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error('a fence that nobody closes');
  return fences;
}

/** Without what stands in fences. */
function proseOf(text: string): string {
  return text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
}

/** Text in single backticks; `\|` is how a table writes `|`. */
export function codeSpansOf(text: string): readonly string[] {
  return [...proseOf(text).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code.replaceAll('\\|', '|'));
}

/** What a reader may type: lines of ```sh, and code in prose that begins with a program and says more than its name. */
export function commandsOf({ file, text }: Page): readonly Command[] {
  const blocks = fencesOf(text)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ lines }) =>
      lines
        .join('\n')
        .replaceAll(/ *\\\n */g, ' ')
        .split('\n'),
    )
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const inline = codeSpansOf(text).filter((code) => INLINE.test(code));
  return [...new Set([...blocks, ...inline])].map((command) => ({ file, text: command }));
}

/** As GitHub makes them of headings. */
export function anchorsOf(text: string): readonly string[] {
  const seen = new Map<string, number>();
  return [...proseOf(text).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = '']) => {
    const slug = heading
      .replaceAll(/[`*]|\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** Targets of links and pictures, as written. */
export function linksOf(text: string): readonly string[] {
  const prose = proseOf(text).replaceAll(/`[^`\n]+`/g, '');
  const markdown = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  const html = [...prose.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target = '']) => target);
  return [...markdown, ...html];
}
