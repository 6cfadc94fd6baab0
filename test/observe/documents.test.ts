import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { allExplained, logsMarkdown } from '../../src/observe/document/logs-markdown.js';
import { METRIC_QUERIES } from '../../src/observe/document/metric-queries.js';
import { METRIC_UNITS } from '../../src/observe/document/metric-units.js';
import { familiesIn, metricsMarkdown } from '../../src/observe/document/metrics-markdown.js';
import { logLineOf } from '../../src/observe/log-table.js';
import { metricsAfter } from '../support/told.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PREFIX = 'dragonfly_manager_gateway_';

describe('docs/logs.md', () => {
  // Written anew by `npm run docs:logs`, which runs this file with --update.
  it('is what the log and the explanations of its events say', async () => {
    await expect(logsMarkdown()).toMatchFileSnapshot('../../docs/logs.md');
  });

  it('says of each event that leaves a line what to do, and of each that leaves none what it means', () => {
    const wrong = allExplained().filter((one) => (logLineOf(one.event) === undefined) !== 'means' in one);
    expect(wrong.map(({ event }) => event)).toEqual([]);
  });
});

describe('a line of the log', () => {
  const lines = allExplained().flatMap(({ event }) => logLineOf(event) ?? []);

  it('names its event, so that one can filter by it', () => {
    const wrong = allExplained().filter(({ event }) => {
      const line = logLineOf(event);
      return line !== undefined && line.fields.event !== event.kind;
    });
    expect(wrong).toEqual([]);
  });

  it('that is an error, says of what class', () => {
    expect(lines.filter(({ level, fields }) => level === 'error' && !('errorClass' in fields))).toEqual([]);
  });
});

describe('docs/metrics.md', () => {
  // Written anew by `npm run docs:metrics`, which runs this file with --update.
  it('is what a registry and the explanations say', async () => {
    await expect(metricsMarkdown(await metricsAfter([]))).toMatchFileSnapshot('../../docs/metrics.md');
  });

  it('has every metric that there is, once', async () => {
    const there = familiesIn(await metricsAfter([])).map(({ name }) => name);
    const explained = Object.values(METRIC_UNITS).flatMap((units) => Object.keys(units));
    expect(explained.toSorted()).toEqual(there.filter((name) => !/^(nodejs|process)_/.test(name)).toSorted());
  });

  it('names units as the names do', () => {
    for (const [name, unit] of Object.values(METRIC_UNITS).flatMap((units) => Object.entries(units))) {
      const named = /_(seconds|bytes)(_total)?$/.exec(name)?.[1];
      expect([name, ['seconds', 'bytes'].includes(unit) ? unit : undefined]).toEqual([name, named]);
    }
  });

  it('asks what Prometheus understands', () => {
    const dir = mkdtempSync(join(tmpdir(), 'queries-'));
    try {
      const rules = METRIC_QUERIES.map(({ query }, index) => ({ record: `asked:${index}`, expr: query }));
      // JSON is YAML.
      writeFileSync(join(dir, 'rules.yaml'), JSON.stringify({ groups: [{ name: 'docs', rules }] }));
      const { status, stderr } = spawnSync('promtool', ['check', 'rules', 'rules.yaml'], {
        cwd: dir,
        encoding: 'utf8',
      });
      expect([status, stderr]).toEqual([0, '']);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe('what README and docs say of metrics', () => {
  const pages = ['README.md', ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })]
    .filter((name) => name.endsWith('.md'))
    .map((name) => (name === 'README.md' ? name : join('docs', name)));

  it.each(pages)('%s names only what there is', async (page) => {
    const families = familiesIn(await metricsAfter([]));
    const known = new Set(
      families.flatMap(({ name, type }) =>
        type === 'histogram' ? ['', '_bucket', '_sum', '_count'].map((end) => name + end) : [name],
      ),
    );
    const text = readFileSync(join(ROOT, page), 'utf8');
    const named = [
      ...[...text.matchAll(/dragonfly_manager_gateway_([a-z0-9_]*[a-z0-9])/g)].map(([, name]) => name),
      // In passing, without the prefix.
      ...[...text.matchAll(/`([a-z0-9_]+_(?:total|seconds|bytes))\b/g)].map(([, name = '']) =>
        name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name,
      ),
    ];
    expect(named.filter((name = '') => !known.has(name))).toEqual([]);
    if (page === 'README.md' || page === 'docs/metrics.md') expect(named.length).toBeGreaterThan(5);
  });
});
