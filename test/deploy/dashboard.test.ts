import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describedDashboard, grafanaDashboard } from '../support/dashboard.js';
import { asSent, DASHBOARD, metricNames, panelQueries, panels } from '../support/queries.js';
import { metricsAfter } from '../support/told.js';

describe('the dashboard', () => {
  // Written anew by `npm run docs:dashboard`, which runs this file with --update.
  it('is what its description says', async () => {
    const described = describedDashboard('deploy/grafana/dashboard.yaml');
    await expect(grafanaDashboard(described)).toMatchFileSnapshot(`../../${DASHBOARD}`);
  });

  it('can be chosen by datasource, namespace and fleet, and each query keeps to the choice', () => {
    const { templating } = JSON.parse(readFileSync(DASHBOARD, 'utf8'));
    expect(templating.list.map(({ name }: { name: string }) => name)).toEqual([
      'datasource',
      'namespace',
      'fleet',
    ]);
    for (const { panel, expr } of panelQueries()) {
      const selectors = [...expr.matchAll(/dragonfly_manager_gateway_\w+(\{[^}]*\})?/g)];
      expect([panel, selectors.length]).not.toEqual([panel, 0]);
      for (const [, labels] of selectors)
        expect([panel, labels]).toEqual([
          panel,
          expect.stringContaining('namespace=~"$namespace", fleet=~"$fleet"'),
        ]);
    }
  });

  it('says of each panel in which unit it is, from where on it is bad, and what to do', () => {
    for (const { title, description = '', fieldConfig } of panels()) {
      expect([title, description.length > 40, fieldConfig.defaults.unit !== '']).toEqual([title, true, true]);
      expect(fieldConfig.defaults.thresholds.steps.length).toBeGreaterThan(0);
      for (const [page] of description.matchAll(/docs\/[\w/-]+\.md/g)) expect(existsSync(page)).toBe(true);
    }
  });

  it('has no two panels with one number, one title or one place, and none beyond the edge', () => {
    const all = JSON.parse(readFileSync(DASHBOARD, 'utf8')).panels as ReturnType<typeof panels>;
    const taken = new Map<string, string>();
    for (const { title, gridPos } of all) {
      expect([title, gridPos.x + gridPos.w <= 24]).toEqual([title, true]);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, x, y, taken.get(`${x},${y}`)]).toEqual([title, x, y, undefined]);
          taken.set(`${x},${y}`, title);
        }
    }
    for (const of of ['id', 'title'] as const)
      expect(new Set(all.map((panel) => panel[of])).size).toBe(all.length);
  });

  it('asks what Prometheus understands', () => {
    const dir = mkdtempSync(join(tmpdir(), 'dashboard-'));
    try {
      const asked = panelQueries().map(({ expr }, at) => ({
        record: `asked:${at}`,
        expr: asSent(expr, '5m'),
      }));
      // JSON is YAML.
      writeFileSync(join(dir, 'rules.yaml'), JSON.stringify({ groups: [{ name: 'asked', rules: asked }] }));
      const said = spawnSync('promtool', ['check', 'rules', 'rules.yaml'], { cwd: dir, encoding: 'utf8' });
      expect([said.status, said.stderr]).toEqual([0, '']);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('names only metrics that there are, and none of other components', async () => {
    const there = metricNames(await metricsAfter([]));
    const named = panelQueries().flatMap(({ expr }) => [...expr.matchAll(/\b[a-z]+_\w+_[a-z0-9]+\b(?=\{)/g)]);
    expect(named.map(([name]) => name).filter((name) => !there.has(name))).toEqual([]);
    expect(named.length).toBeGreaterThanOrEqual(panelQueries().length);
  });
});
