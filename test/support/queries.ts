import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { familiesIn } from '../../src/observe/document/metrics-markdown.js';
import { METRIC_PREFIX } from '../../src/observe/metric-prefix.js';

export const DASHBOARD = 'deploy/helm/dragonfly-manager-gateway/files/dashboard.json';
export const ALERTS = 'deploy/helm/dragonfly-manager-gateway/files/alerts.yaml';

/** What the dashboard asks Prometheus, by panel. */
export interface PanelQuery {
  readonly panel: string;
  readonly expr: string;
}

export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig: {
    readonly defaults: { readonly unit: string; readonly thresholds: { readonly steps: readonly object[] } };
  };
  readonly targets: readonly { readonly refId: string; readonly expr: string }[];
}

/** Panels without the titles of rows, as Grafana would read them. */
export function panels(): readonly Panel[] {
  const { panels: all } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as { panels: Panel[] };
  return all.filter(({ type }) => type !== 'row');
}

export function panelQueries(): readonly PanelQuery[] {
  return panels().flatMap(({ title, targets }) => targets.map(({ expr }) => ({ panel: title, expr })));
}

/** As Grafana sends a query: for all namespaces and fleets, over `interval`. */
export function asSent(expr: string, interval: string): string {
  return expr.replaceAll('$__rate_interval', interval).replaceAll(/\$(namespace|fleet)\b/g, '.*');
}

export function rules(): readonly Rule[] {
  const { groups } = parse(readFileSync(ALERTS, 'utf8')) as { groups: { rules: Rule[] }[] };
  return groups.flatMap((group) => group.rules);
}

/** Every name that a query may use, of what `/metrics` says. */
export function metricNames(scraped: string): ReadonlySet<string> {
  return new Set(
    familiesIn(scraped).flatMap(({ name, type }) =>
      (type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).map((end) => METRIC_PREFIX + name + end),
    ),
  );
}

/** The rules with a window of a few seconds and without patience: what takes hours in a fleet, a test sees in a minute. */
export function rulesInAHurry(windowSeconds: number): string {
  return readFileSync(ALERTS, 'utf8')
    .replaceAll(/\[\d+m\]/g, `[${windowSeconds}s]`)
    .replaceAll(/\bfor: \w+/g, 'for: 0s');
}
