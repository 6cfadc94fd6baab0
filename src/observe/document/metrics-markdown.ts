import { METRIC_PREFIX } from '../metric-prefix.js';
import { markdownTable } from './markdown-table.js';
import { METRIC_QUERIES } from './metric-queries.js';
import { METRIC_UNITS } from './metric-units.js';

/** A metric as a scrape shows it. `labels`: values in order; `le` of histograms left out. */
export interface MetricFamily {
  /** Without the prefix. */
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

/** Of Node and the process, by prom-client: what they are, and which labels they have, is another in each version of Node. */
const OF_NODE = /^(nodejs|process)_/;

const INTRODUCTION = `# Metrics

This page is generated from a registry and from \`src/observe/document/\`: change those, then run \`npm run docs:metrics\`.

\`GET /metrics\` on \`metrics.addr\` (port 8000). Every name begins with \`${METRIC_PREFIX}\`, which the tables leave out. Every series is there from the start, as 0, but for
codes other than OK and, in \`answers_total\`, calls that are \`forwarded\`, \`local\` or \`refused\`: these come with the first of their kind. Labels come from closed sets; none is ever a host name or an address:

- \`fleet\`: \`fleet.id\`, on every series, where one is set
METHODS
- \`manager\`: the position in \`managers.addrs\`, from \`0\` on
- \`code\`: the name of a gRPC code, \`OK\`, \`UNAVAILABLE\` …; \`class\`: \`none\` for a fact, \`transient\`, \`permanent\`, \`backpressure\` ([logs.md](logs.md))
`;

/** docs/metrics.md. `scraped`: what \`/metrics\` says of a gateway to which nothing has happened. */
export function metricsMarkdown(scraped: string): string {
  const families = new Map(familiesIn(scraped).map((family) => [family.name, family]));
  const methods = families.get('coalesced_total')?.labels.get('method') ?? [];
  const sections = Object.entries(METRIC_UNITS).flatMap(([title, units]) => [
    `## ${title}\n`,
    markdownTable(
      ['Metric', 'Type', 'Unit', 'Labels', 'What it is'],
      Object.entries(units).map(([name, unit]) => rowOf(families.get(name), name, unit)),
    ),
  ]);
  const ofNode = [...families.values()].filter(({ name }) => OF_NODE.test(name));
  return [
    INTRODUCTION.replace('METHODS', `- \`method\`: ${methods.map((one) => `\`${one}\``).join(', ')}`),
    '## What to ask\n',
    ...METRIC_QUERIES.flatMap(({ question, query, tells }) => [
      `**${question}** ${tells}\n`,
      `\`\`\`promql\n${query}\n\`\`\`\n`,
    ]),
    ...sections,
    '## Node.js and the process\n',
    'Their labels are those of the Node that runs.\n',
    markdownTable(
      ['Metric', 'Type', 'What it is'],
      ofNode.map(({ name, type, help }) => [`\`${name}\``, type, help]),
    ),
  ].join('\n');
}

/** Everything in a scrape that begins with our prefix. */
export function familiesIn(scraped: string): readonly MetricFamily[] {
  const found = new Map<string, { type: string; help: string; labels: Map<string, Set<string>> }>();
  const at = (name: string) => {
    const family = found.get(name) ?? { type: '', help: '', labels: new Map<string, Set<string>>() };
    found.set(name, family);
    return family;
  };
  for (const line of scraped.split('\n')) {
    const [, what, described = '', text = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (what === 'HELP') at(described).help = text;
    if (what === 'TYPE') at(described).type = text;
    const [, sample = '', labels = ''] = /^([a-z_0-9]+)\{(.*)\} \S+$/.exec(line) ?? [];
    const family = found.get(sample) ?? found.get(sample.replace(/_(bucket|sum|count)$/, ''));
    for (const [, label = '', value = ''] of labels.matchAll(/([a-z_]+)="([^"]*)"/g)) {
      if (label === 'le' || family === undefined) continue;
      family.labels.set(label, (family.labels.get(label) ?? new Set()).add(value));
    }
  }
  return [...found].map(([name, { type, help, labels }]) => ({
    name: name.slice(METRIC_PREFIX.length),
    type,
    help,
    labels: new Map([...labels].map(([label, values]) => [label, [...values]])),
  }));
}

function rowOf(family: MetricFamily | undefined, name: string, unit: string): readonly string[] {
  if (family === undefined) throw new Error(`there is no metric ${name}`);
  const labels = [...family.labels].map(([label, values]) =>
    OPEN.has(label) ? `\`${label}\`` : `\`${label}\`: ${values.join(', ')}`,
  );
  return [`\`${name}\``, family.type, unit, labels.join('; '), family.help];
}

/** Explained above the tables; so is the version, which changes. */
const OPEN = new Set(['method', 'manager', 'code', 'class', 'version']);
