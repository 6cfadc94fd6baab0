import { logLineOf } from '../log-table.js';
import { ABOUT_CALLERS } from './about-callers.js';
import { ABOUT_KEEPING } from './about-keeping.js';
import { ABOUT_MANAGER } from './about-manager.js';
import { ABOUT_MEMORY } from './about-memory.js';
import { ABOUT_NODES } from './about-nodes.js';
import { ABOUT_PROCESS } from './about-process.js';
import type { EventKind, Explained, Explanations } from './explained.js';
import { markdownTable } from './markdown-table.js';

const SECTIONS = [
  ['The gateway itself', ABOUT_PROCESS],
  ['The managers', ABOUT_MANAGER],
  ['What is remembered', ABOUT_MEMORY],
  ['Schedulers and seed peers', ABOUT_NODES],
  ['Callers', ABOUT_CALLERS],
  ['Disk and Redis', ABOUT_KEEPING],
] as const;

/** Every event there is: one that is added to the union without its explanation does not compile. */
const EXPLANATIONS = {
  ...ABOUT_PROCESS,
  ...ABOUT_MANAGER,
  ...ABOUT_MEMORY,
  ...ABOUT_NODES,
  ...ABOUT_CALLERS,
  ...ABOUT_KEEPING,
} satisfies Explanations<EventKind>;

/** Without the union of all kinds in their types, for whoever goes through them. */
export type AnyExplained = { readonly [K in EventKind]: Explained<K> }[EventKind];

const INTRODUCTION = `# What the log says

This page is generated from the log's own table and from \`src/observe/document/\`: change those, then run \`npm run docs:logs\`.

The log is JSON on standard output, one object per line, from \`log.level\` on (\`info\`; it can be changed without a restart):

\`\`\`json
EXAMPLE
\`\`\`

\`event\` is what to filter by. \`errorClass\` says what kind of trouble it is: \`transient\` passes or is repeated, \`permanent\` stays until somebody does something,
\`backpressure\` asks for less, \`internal\` is a fault of the gateway. \`manager\` is the position in \`managers.addrs\`, \`method\` the path of the call. No line names a caller's host, but \`client-forbidden\`;
\`/api/nodes\`, \`/api/callers\` and \`/api/cache\` do ([admin-api.md](admin-api.md)). What repeats is written once, and then as one line every 10 s with \`repeated\`, the number of those left out.

Wrong use of the command and a configuration that is refused at the start are plain text on standard error, with exit code 2.
`;

/** docs/logs.md. */
export function logsMarkdown(): string {
  const errors = allExplained().filter(({ event }) => logLineOf(event)?.level === 'error');
  const names = [...new Set(errors.map(({ event }) => `\`${event.kind}\``))].join(', ');
  return [
    INTRODUCTION.replace('EXAMPLE', exampleLine()),
    `Worth waking somebody: ${names}, where the level is \`error\`. \`warn\` can wait until somebody is awake.\n`,
    ...SECTIONS.flatMap(([title, explanations]) => [`## ${title}\n`, linesOf(Object.values(explanations))]),
    '## What leaves no line\n',
    'Mostly because there is one for every call, or more. They are counted ([metrics.md](metrics.md)).\n',
    unspokenOf(allExplained()),
  ].join('\n');
}

export function allExplained(): readonly AnyExplained[] {
  return Object.values(EXPLANATIONS).flat();
}

function linesOf(kinds: readonly (readonly AnyExplained[])[]): string {
  const rows = kinds.flat().flatMap((explained) => {
    const line = logLineOf(explained.event);
    if (line === undefined || !('todo' in explained)) return [];
    const { event, errorClass = '–', ...fields } = line.fields;
    const names = [...Object.keys(fields), ...(line.error === undefined ? [] : ['err'])];
    const shown = names.map((name) => `\`${name}\``).join(', ');
    return [[`\`${event}\``, line.level, String(errorClass), line.msg, shown, explained.todo]];
  });
  return markdownTable(['Event', 'Level', 'Class', 'For example', 'Fields', 'What to do'], rows);
}

function unspokenOf(all: readonly AnyExplained[]): string {
  const rows = all.flatMap((explained) =>
    'means' in explained ? [[`\`${explained.event.kind}\``, explained.means]] : [],
  );
  return markdownTable(['Event', 'What has happened'], rows);
}

function exampleLine(): string {
  const [{ event }] = ABOUT_MANAGER['manager-answered'];
  const line = logLineOf(event);
  return JSON.stringify({
    level: line?.level,
    ts: '2026-01-01T00:00:00.000Z',
    ...line?.fields,
    msg: line?.msg,
  });
}
