import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** `deploy/grafana/dashboard.yaml`: what is shown, without Grafana's format. */
export interface Described {
  readonly title: string;
  readonly uid: string;
  readonly description: string;
  readonly rows: readonly {
    readonly title: string;
    readonly height: number;
    readonly panels: readonly DescribedPanel[];
  }[];
}

export interface DescribedPanel {
  readonly title: string;
  readonly kind?: 'stat';
  readonly wide: number;
  readonly unit: string;
  readonly stack?: boolean;
  /** A stat that shows the name of its series instead of its value. */
  readonly show?: 'name';
  readonly bad?: { readonly above: number } | { readonly below: number };
  /** Word and colour of a value. */
  readonly states?: Readonly<Record<string, readonly [string, string]>>;
  readonly description: string;
  readonly queries: readonly { readonly query: string; readonly legend?: string }[];
}

type Json = Readonly<Record<string, unknown>>;

/** Of Grafana 10 and 11; later ones read it, too. */
const SCHEMA_VERSION = 39;
const COLUMNS = 24;
const DATASOURCE = { type: 'prometheus', uid: '$datasource' };
const FILTERS = 'namespace=~"$namespace", fleet=~"$fleet"';
/** Grafana colours what is not below a value; the smallest rate that is worth a colour is one in a quarter of an hour. */
const ANYTHING = 0.001;

export function describedDashboard(file: string): Described {
  return parse(readFileSync(file, 'utf8')) as Described;
}

/** The dashboard as Grafana reads it. */
export function grafanaDashboard({ title, uid, description, rows }: Described): string {
  const dashboard = {
    uid,
    title,
    description,
    tags: ['dragonfly'],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: true,
    graphTooltip: 1,
    time: { from: 'now-1h', to: 'now' },
    refresh: '30s',
    timezone: 'browser',
    annotations: { list: [firingAlerts()] },
    templating: { list: variables() },
    panels: panelsOf(rows),
  };
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}

/** A query, kept to what is chosen above the panels. */
function chosen(query: string): string {
  return query.replaceAll(
    /(dragonfly_manager_gateway_\w+)(?:\{([^}]*)\})?/g,
    (_, name: string, labels?: string) => `${name}{${labels ? `${labels}, ` : ''}${FILTERS}}`,
  );
}

function variables(): readonly Json[] {
  const ofLabel = (name: string, within: string): Json => ({
    name,
    type: 'query',
    datasource: DATASOURCE,
    query: {
      query: `label_values(dragonfly_manager_gateway_version${within}, ${name})`,
      refId: `variable-${name}`,
    },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    // Also where there is no such label: a Prometheus outside Kubernetes, a fleet without a name.
    allValue: '.*',
    current: { selected: true, text: ['All'], value: ['$__all'] },
  });
  return [
    { name: 'datasource', type: 'datasource', query: 'prometheus', refresh: 1 },
    ofLabel('namespace', ''),
    ofLabel('fleet', '{namespace=~"$namespace"}'),
  ];
}

function firingAlerts(): Json {
  return {
    name: 'Alerts that fire',
    datasource: DATASOURCE,
    enable: true,
    iconColor: 'red',
    target: {
      refId: 'alerts',
      expr: `ALERTS{alertname=~"Dragonfly.+", alertstate="firing", ${FILTERS}}`,
      interval: '60s',
    },
    // Of the plugin for Prometheus, beside what Grafana's own types say.
    titleFormat: '{{alertname}}',
    textFormat: '{{instance}}',
  };
}

/** From left to right and from top to bottom, each row under a line with its title. */
function panelsOf(rows: Described['rows']): readonly Json[] {
  const panels: Json[] = [];
  let y = 0;
  for (const { title, height, panels: described } of rows) {
    const place = (x: number, w: number, h: number) => ({ id: panels.length + 1, gridPos: { x, y, w, h } });
    panels.push({ type: 'row', title, collapsed: false, panels: [], ...place(0, COLUMNS, 1) });
    y++;
    let x = 0;
    for (const panel of described) {
      if (x + panel.wide > COLUMNS) {
        x = 0;
        y += height;
      }
      panels.push({ ...panelOf(panel), ...place(x, panel.wide, height) });
      x += panel.wide;
    }
    y += height;
  }
  return panels;
}

function panelOf(panel: DescribedPanel): Json {
  const { title, description, kind = 'timeseries', queries } = panel;
  return {
    type: kind,
    title,
    description,
    datasource: DATASOURCE,
    fieldConfig: { defaults: fieldOf(panel), overrides: [] },
    options: kind === 'stat' ? statOptions(panel) : TIME_SERIES_OPTIONS,
    targets: queries.map(({ query, legend = '' }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr: chosen(query),
      legendFormat: legend,
      ...(kind === 'stat' ? { instant: true, range: false } : { range: true }),
    })),
  };
}

const TIME_SERIES_OPTIONS = {
  legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] },
  tooltip: { mode: 'multi', sort: 'desc' },
};

function statOptions({ show }: DescribedPanel): Json {
  return {
    colorMode: 'value',
    graphMode: 'none',
    justifyMode: 'auto',
    orientation: 'auto',
    textMode: show === 'name' ? 'name' : 'auto',
    wideLayout: true,
    reduceOptions: { values: false, calcs: ['lastNotNull'], fields: '' },
  };
}

function fieldOf({ kind, unit, stack, bad, states }: DescribedPanel): Json {
  return {
    unit,
    min: 0,
    color: { mode: kind === 'stat' ? 'thresholds' : 'palette-classic' },
    thresholds: { mode: 'absolute', steps: stepsOf(bad) },
    mappings: states === undefined ? [] : [{ type: 'value', options: mapped(states) }],
    ...(kind === 'stat'
      ? {}
      : {
          custom: {
            drawStyle: 'line',
            lineWidth: 1,
            fillOpacity: stack ? 25 : 0,
            showPoints: 'never',
            stacking: { mode: stack ? 'normal' : 'none', group: 'A' },
            thresholdsStyle: { mode: bad === undefined ? 'off' : 'dashed' },
          },
        }),
  };
}

function stepsOf(bad: DescribedPanel['bad']): readonly Json[] {
  if (bad === undefined) return [{ color: 'green', value: null }];
  return 'above' in bad
    ? [
        { color: 'green', value: null },
        { color: 'red', value: bad.above === 0 ? ANYTHING : bad.above },
      ]
    : [
        { color: 'red', value: null },
        { color: 'green', value: bad.below },
      ];
}

function mapped(states: NonNullable<DescribedPanel['states']>): Json {
  return Object.fromEntries(
    Object.entries(states).map(([value, [text, color]], index) => [value, { text, color, index }]),
  );
}
