import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SCRIPT } from '../../src/cli/demo/script.js';
import { loadConfig } from '../../src/config/load.js';
import { freePort } from '../../src/simulator/free-port.js';
import { asOnThisMachine, composeServices, mountsOf } from '../support/compose.js';
import { type GatewayProcess, runGateway } from '../support/gateway-process.js';
import { type PrometheusProcess, startPrometheus } from '../support/prometheus-process.js';
import { asSent, panelQueries } from '../support/queries.js';
import { until } from '../support/until.js';

const services = composeServices();

describe('compose.yaml', () => {
  it('names each image by its version, and the gateway by that of the package', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    for (const [name, { image }] of Object.entries(services)) {
      expect([name, image]).toEqual([name, expect.stringMatching(/^[\w./-]+:v?\d+\.\d+/)]);
      if (image.startsWith('dragonfly')) expect(image).toBe(`dragonfly-manager-gateway:${version}`);
    }
  });

  it('gives services only what is there', () => {
    for (const service of Object.values(services))
      for (const [to, from] of mountsOf(service)) expect([to, existsSync(from)]).toEqual([to, true]);
  });

  it('has Grafana find the Prometheus beside it, and the dashboard where it is told to look', () => {
    const read = (path: string) => parse(readFileSync(join('deploy/compose/grafana', path), 'utf8'));
    const { datasources } = read('datasources/prometheus.yaml');
    expect(datasources).toEqual([
      expect.objectContaining({ type: 'prometheus', url: 'http://prometheus:9090' }),
    ]);
    const { providers } = read('dashboards/dragonfly.yaml');
    const grafana = services.grafana as (typeof services)[string];
    const [dashboard = ''] = [...mountsOf(grafana).keys()].filter((to) => to.endsWith('.json'));
    expect(dashboard.startsWith(`${providers[0].options.path}/`)).toBe(true);
    expect(grafana.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH).toBe(dashboard);
    expect(statSync(mountsOf(grafana).get(dashboard) ?? '').isFile()).toBe(true);
  });

  it('gives the gateway a configuration that it takes', () => {
    const text = readFileSync('deploy/compose/manager-gateway.yaml', 'utf8');
    expect(() => loadConfig({ text, env: {}, sets: [] })).not.toThrow();
  });
});

/** The same commands with the same files, as processes of this machine; ten times as fast as life. */
describe('what compose.yaml starts', () => {
  const dir = mkdtempSync(join(tmpdir(), 'compose-'));
  const running: { child: ChildProcess; exited: Promise<unknown> }[] = [];
  let prometheus: PrometheusProcess;
  let simulator: GatewayProcess;

  beforeAll(async () => {
    const [manager, listen, metrics, admin, redis] = await Promise.all([0, 1, 2, 3, 4].map(() => freePort()));
    const places = {
      'simulator:65003': `127.0.0.1:${manager}`,
      '0.0.0.0:65003': `127.0.0.1:${manager}`,
      'gateway:65003': `127.0.0.1:${listen}`,
      'gateway:8000': `127.0.0.1:${metrics}`,
      '":8000"': `"127.0.0.1:${metrics}"`,
      '":8080"': `"127.0.0.1:${admin}"`,
      'redis:6379': `127.0.0.1:${redis}`,
      '/var/lib/dragonfly/manager-gateway': dir,
    };
    const here = (text: string): string => asOnThisMachine(text, places);
    const commandOf = (name: string): string[] => (services[name]?.command ?? []).map(here);

    const [server = '', ...args] = commandOf('redis');
    const own = ['--port', String(redis), '--bind', '127.0.0.1', '--dir', dir];
    const child = spawn(server, [...args, ...own], { stdio: 'ignore' });
    running.push({ child, exited: once(child, 'exit') });

    const file = join(dir, 'manager-gateway.yaml');
    writeFileSync(file, here(readFileSync('deploy/compose/manager-gateway.yaml', 'utf8')));
    const serve = commandOf('gateway').map((word) =>
      word.replace('/etc/dragonfly/manager-gateway.yaml', file),
    );
    const gateway = runGateway([...serve, '--set', `server.listen=127.0.0.1:${listen}`]);
    running.push(gateway);
    simulator = runGateway([...commandOf('simulator'), '--time-factor', '10']);
    running.push(simulator);
    await gateway.line({ event: 'started' });
    prometheus = await startPrometheus([], {
      config: here(readFileSync('deploy/compose/prometheus.yml', 'utf8')),
    });
  }, 60_000);
  afterAll(async () => {
    await prometheus?.stop();
    for (const { child } of running.toReversed()) child.kill('SIGTERM');
    await Promise.all(running.map(({ exited }) => exited));
    rmSync(dir, { recursive: true });
  });

  it('is a gateway that Prometheus finds, in front of a manager and a fleet that live through the incident', async () => {
    const one = async (expr: string): Promise<number> => [...(await prometheus.query(expr)).values()][0] ?? 0;
    await until('the target is up', async () => (await one('up')) === 1, 20_000);
    const [, calm] = SCRIPT;
    await simulator.line({ text: `${calm?.name}: ${calm?.what}` });
    const least = {
      dragonfly_manager_gateway_manager_healthy: 1,
      'sum(dragonfly_manager_gateway_nodes_alive)': 5,
      'sum(dragonfly_manager_gateway_answers_total{fleet="trial", answer="hit"})': 100,
    };
    for (const [expr, value] of Object.entries(least))
      await until(`${expr} is ${value}`, async () => (await one(expr)) >= value, 30_000);
    // A rate needs two of the scrapes, which are 5 s apart.
    await until('three scrapes', async () => (await one('count_over_time(up[1m])')) >= 3, 30_000);
    expect(await one('dragonfly_manager_gateway_redis_lost')).toBe(0);
    expect(await one('dragonfly_manager_gateway_directory_missing')).toBe(0);
  }, 60_000);

  it('gives every panel of the dashboard something to show, but for what has not gone wrong', async () => {
    const unseen: string[] = [];
    for (const { panel, expr } of panelQueries())
      if ((await prometheus.history(asSent(expr, '20s'), 60)).size === 0 && !/ [>=]=? [01]\b/.test(expr))
        unseen.push(panel);
    expect(unseen).toEqual([]);
  });

  it('ends politely when it is told to', async () => {
    simulator.child.kill('SIGTERM');
    expect(await simulator.exited).toBe(0);
    expect(simulator.stderr()).toBe('');
  });
});
