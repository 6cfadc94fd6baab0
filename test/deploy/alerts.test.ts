import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ALERTS, metricNames, rules } from '../support/queries.js';
import { metricsAfter } from '../support/told.js';

const TOLD = 'test/deploy/alerts.test.yaml';
const PAGES = 'docs/runbooks';

interface Told {
  readonly alert_rule_test: readonly {
    readonly eval_time: string;
    readonly alertname: string;
    readonly exp_alerts: readonly object[];
  }[];
}

const promtool = (...args: readonly string[]) => spawnSync('promtool', args, { encoding: 'utf8' });

describe('the alerts', () => {
  it('are rules that promtool takes', () => {
    const { status, stdout, stderr } = promtool('check', 'rules', ALERTS);
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining(`${rules().length} rules found`)]);
  });

  it('have a page each, and there is no page without one', () => {
    for (const { alert, annotations } of rules())
      expect(readFileSync(annotations.runbook, 'utf8')).toContain(`\`${alert}\``);
    const pages = new Set(rules().map(({ annotations }) => annotations.runbook));
    expect(
      readdirSync(PAGES)
        .map((page) => `${PAGES}/${page}`)
        .toSorted(),
    ).toEqual([...pages].toSorted());
  });

  it('ask only for metrics that there are', async () => {
    const there = metricNames(await metricsAfter([]));
    for (const { alert, expr } of rules()) {
      const named = [...expr.matchAll(/dragonfly_\w+/g)].map(([name]) => name);
      expect([alert, named.length > 0, named.filter((name) => !there.has(name))]).toEqual([alert, true, []]);
    }
  });

  it('fire in what they are about, and are quiet before it and after it', () => {
    const { status, stdout, stderr } = promtool('test', 'rules', TOLD);
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  it('are told of, each of them, with a time before, a time in it, and a time after', () => {
    const { tests } = parse(readFileSync(TOLD, 'utf8')) as { tests: readonly Told[] };
    const told = tests.flatMap(({ alert_rule_test }) => {
      const names = new Set(alert_rule_test.map(({ alertname }) => alertname));
      return [...names].filter((name) => /^quiet (fires )+quiet $/.test(courseOf(alert_rule_test, name)));
    });
    expect([...new Set(told)].toSorted()).toEqual(
      rules()
        .map(({ alert }) => alert)
        .toSorted(),
    );
  });
});

function courseOf(told: Told['alert_rule_test'], name: string): string {
  return told
    .filter(({ alertname }) => alertname === name)
    .toSorted((a, b) => Number.parseInt(a.eval_time, 10) - Number.parseInt(b.eval_time, 10))
    .map(({ exp_alerts }) => (exp_alerts.length > 0 ? 'fires ' : 'quiet '))
    .join('');
}
