import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DASHBOARD } from '../support/queries.js';

const SCHEMA = '@grafana/schema@11.1.0';
const TYPES = '@grafana/schema/dist/esm/raw/composable';

const dir = mkdtempSync(join(tmpdir(), 'grafana-'));

// Its publisher puts the types of its formats on npm.
beforeAll(() => {
  writeFileSync(join(dir, 'package.json'), '{"private": true}');
  const install = ['install', '--silent', '--ignore-scripts', '--no-audit', '--no-fund', SCHEMA];
  execFileSync('npm', install, { cwd: dir, stdio: 'pipe' });
}, 120_000);
afterAll(() => rmSync(dir, { recursive: true }));

interface Written {
  readonly panels: readonly {
    type: string;
    options?: object;
    fieldConfig?: { defaults: { custom?: object } };
  }[];
}

/** What the compiler says of it, if it is what Grafana's types say: text and numbers in the place of enums. */
function compiled(dashboard: Written): string {
  const of = (type: string) => dashboard.panels.filter((panel) => panel.type === type);
  const custom = of('timeseries').map(({ fieldConfig }) => fieldConfig?.defaults.custom);
  const source = `
import type { AnnotationQuery, Dashboard } from '@grafana/schema';
import type { FieldConfig, Options as TimeSeries } from '${TYPES}/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type { Options as Stat } from '${TYPES}/stat/panelcfg/x/StatPanelCfg_types.gen';

type Plain<T> = unknown extends T ? T
  : T extends string ? \`\${T}\`
  : T extends number ? (number extends T ? T : \`\${T}\` extends \`\${infer N extends number}\` ? N : T)
  : T extends boolean | null | undefined ? T
  : T extends readonly (infer U)[] ? Plain<U>[]
  : { [K in keyof T]: Plain<T[K]> };
interface Target { refId: string; expr: string; interval: string }
type OfPrometheus = Omit<AnnotationQuery, 'target'> & { target: Target; titleFormat: string; textFormat: string };

export const dashboard: Plain<Omit<Dashboard, 'annotations'> & { annotations: { list: OfPrometheus[] } }> = ${JSON.stringify(dashboard)};
export const timeSeries: Plain<TimeSeries>[] = ${JSON.stringify(of('timeseries').map(({ options }) => options))};
export const custom: Plain<FieldConfig>[] = ${JSON.stringify(custom)};
export const stat: Plain<Partial<Stat>>[] = ${JSON.stringify(of('stat').map(({ options }) => options))};
`;
  writeFileSync(join(dir, 'dashboard.ts'), source);
  const compilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, types: [] },
    ...{ target: 'es2022', module: 'esnext', moduleResolution: 'bundler' },
  };
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['dashboard.ts'] }));
  return spawnSync(resolve('node_modules/.bin/tsc'), ['-p', '.'], { cwd: dir, encoding: 'utf8' }).stdout;
}

const read = (): Written => JSON.parse(readFileSync(DASHBOARD, 'utf8'));

it('the dashboard is of the types that Grafana publishes', () => {
  expect(compiled(read())).toBe('');
});

it('the compiler would say so if it were not', () => {
  const { panels, ...rest } = read();
  const [row, first = { type: 'stat' }, ...others] = panels;
  const misnamed = { ...rest, refreshh: '30s', panels };
  expect(compiled(misnamed)).toContain('refreshh');
  const unknown = { ...first, options: { ...first.options, textMode: 'loud' } };
  expect(compiled({ ...rest, panels: [row ?? first, unknown, ...others] })).toContain('"loud"');
});
