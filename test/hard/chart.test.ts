import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { loadConfig } from '../../src/config/load.js';
import { makeCertificates } from '../support/certificates.js';
import { DASHBOARD, type Rule, rules } from '../support/queries.js';

const CHART = 'deploy/helm/dragonfly-manager-gateway';
const HELM = 'helm.sh/helm/v3/cmd/helm@v3.19.0';
const VALIDATOR = 'kubernetes-validate==1.37.0';
const KUBERNETES = '1.31';

const dir = mkdtempSync(join(tmpdir(), 'chart-'));
const helmFile = join(dir, 'helm');

// helm by its source, the schemas of Kubernetes by a package of PyPI.
beforeAll(() => {
  execFileSync('go', ['install', HELM], { env: { ...process.env, GOBIN: dir }, stdio: 'pipe' });
  const pip = ['-m', 'pip', 'install', '--quiet', '--target', join(dir, 'python'), VALIDATOR];
  execFileSync('python3', pip, { stdio: 'pipe' });
}, 900_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

type Manifest = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
};

type Policy = { readonly ingress: readonly { readonly from: readonly object[] }[] };

function helm(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(helmFile, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

function template(values: object) {
  const file = join(dir, 'values.yaml');
  writeFileSync(file, JSON.stringify(values));
  return helm('template', 'gw', CHART, '-n', 'dragonfly-system', '--kube-version', KUBERNETES, '-f', file);
}

function rendered(values: object): { readonly text: string; readonly manifests: readonly Manifest[] } {
  const { status, stdout, stderr } = template(values);
  expect([status, stderr]).toEqual([0, '']);
  return {
    text: stdout,
    manifests: parseAllDocuments(stdout)
      .map((document) => document.toJS())
      .filter(Boolean),
  };
}

const MANAGER = { manager: { addrs: ['dragonfly-manager.dragonfly-system.svc:65003'] } };
const ALL: Record<string, object> = {
  minimal: MANAGER,
  'with everything': {
    manager: {
      addrs: ['https://manager-a:65003', 'dns:///manager-b:65003'],
      tls: { existingSecret: 'manager-tls', clientCertificate: true, serverName: 'manager' },
    },
    replicas: 3,
    fleet: { id: 'fleet-1' },
    mode: 'observe',
    config: { cache: { maxStale: '24h' }, warmup: { requests: [{ method: 'ListApplications' }] } },
    redis: {
      addrs: ['redis-0:26379', 'redis-1:26379'],
      mode: 'sentinel',
      username: 'gateway',
      existingSecret: 'redis',
      tls: { enable: true, existingSecret: 'redis-tls' },
    },
    tls: {
      enable: true,
      clientAuth: 'request',
      certManager: {
        enable: true,
        issuerRef: { kind: 'ClusterIssuer', name: 'internal' },
        dnsNames: ['gw.example'],
      },
    },
    admin: { existingSecret: 'admin' },
    service: { headless: true, annotations: { a: 'b' } },
    metrics: {
      serviceMonitor: { enable: true, additionalLabels: { release: 'prometheus' } },
      prometheusRule: {
        enable: true,
        runbookUrl: 'https://example.org/runbooks/',
        rules: [{ alert: 'Mine', expr: 'vector(1)' }],
      },
    },
    dashboard: { enable: true, annotations: { grafana_folder: 'Dragonfly' }, namespace: 'monitoring' },
    warmup: { enable: true },
    hpa: { enable: true },
    networkPolicy: { enable: true, callers: ['10.0.0.0/8'], scrapers: { name: 'monitoring' } },
    podAnnotations: { a: 'b' },
    extraEnv: [{ name: 'DFMGW__LOG__LEVEL', value: 'debug' }],
  },
  'a Deployment on a trial Redis, without metrics': {
    ...MANAGER,
    kind: 'Deployment',
    replicas: 2,
    fleet: { id: 'f' },
    redis: { trial: { enable: true } },
    metrics: { enable: false },
    admin: { enable: false },
  },
};

describe.each(Object.entries(ALL))('the chart, %s,', (_name, values) => {
  it('renders manifests that Kubernetes takes', () => {
    const file = join(dir, 'rendered.yaml');
    writeFileSync(file, rendered(values).text);
    const env = { ...process.env, PYTHONPATH: join(dir, 'python') };
    const { status, stdout, stderr } = spawnSync(
      'python3',
      ['-m', 'kubernetes_validate', '-k', KUBERNETES, '--strict', file],
      { encoding: 'utf8', env },
    );
    const said = (stdout + stderr).split('\n').filter((line) => line !== '' && !line.startsWith('INFO'));
    // Of others' kinds it has no schema.
    const others = said.filter((line) => !/kind (Certificate|PrometheusRule|ServiceMonitor) /.test(line));
    expect([status, others]).toEqual([0, []]);
  });

  it('renders a configuration that the gateway takes', () => {
    const { manifests } = rendered(values);
    const config = manifests.find(({ kind }) => kind === 'ConfigMap')?.data?.['manager-gateway.yaml'] ?? '';
    expect(() => loadConfig({ text: withFiles(config), env: {}, sets: [] })).not.toThrow();
  });

  it('gives a pod more time to go than the gateway takes to drain', () => {
    const workload = rendered(values).manifests.find(
      ({ kind, metadata }) => /StatefulSet|Deployment/.test(kind) && !metadata.name.endsWith('redis'),
    );
    const text = JSON.stringify(workload);
    expect(Number(/"terminationGracePeriodSeconds":(\d+)/.exec(text)?.[1])).toBeGreaterThanOrEqual(
      25 + 5 + 5,
    );
    expect(text).toContain('"readOnlyRootFilesystem":true');
    expect(text).toContain('"runAsNonRoot":true');
  });
});

/** Every PEM that the pod would have, in a directory of this test. */
function withFiles(config: string): string {
  const { caCert, server } = makeCertificates();
  for (const name of ['tls', 'manager-tls', 'redis-tls']) {
    mkdirSync(join(dir, name), { recursive: true });
    writeFileSync(join(dir, name, 'ca.crt'), caCert);
    writeFileSync(join(dir, name, 'tls.crt'), server.cert);
    writeFileSync(join(dir, name, 'tls.key'), server.key);
  }
  return config.replaceAll('/etc/dragonfly/', `${dir}/`);
}

describe('the chart refuses, with the reason,', () => {
  it.each([
    ['no manager', {}, /manager\.addrs: found none/],
    ['several replicas without Redis', { ...MANAGER, replicas: 2 }, /replicas: found 2 without Redis/],
    ['scaling without Redis', { ...MANAGER, hpa: { enable: true } }, /hpa\.enable: found true without Redis/],
    [
      'a Deployment without Redis',
      { ...MANAGER, kind: 'Deployment' },
      /kind: found Deployment without Redis/,
    ],
    [
      'Redis without a name of the fleet',
      { ...MANAGER, redis: { addrs: ['r:1'] } },
      /fleet\.id: found none with Redis/,
    ],
    [
      'TLS without a certificate',
      { ...MANAGER, tls: { enable: true } },
      /tls\.enable: found true without a certificate/,
    ],
    [
      'a policy that lets nobody in',
      { ...MANAGER, networkPolicy: { enable: true } },
      /networkPolicy\.callers: found none/,
    ],
    ['a value that is none of it', { ...MANAGER, replicaCount: 2 }, /replicaCount/],
    ['another kind', { ...MANAGER, kind: 'DaemonSet' }, /kind/],
  ])('%s', (_name, values, why) => {
    const { status, stderr } = template(values);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(why);
  });
});

describe('the chart', () => {
  it('is what helm lint takes for a good one', () => {
    const { status, stdout } = helm(
      'lint',
      CHART,
      '--set',
      'manager.addrs={m:65003}',
      '--kube-version',
      KUBERNETES,
    );
    expect([status, stdout]).toEqual([0, expect.stringContaining('0 chart(s) failed')]);
  });

  it('lets nodes call under its policy, and pods of Dragonfly, of which the warm-up Job is one', () => {
    const { manifests } = rendered(ALL['with everything'] as object);
    const policy = manifests.find(({ kind }) => kind === 'NetworkPolicy')?.spec as Policy | undefined;
    expect(policy?.ingress[0]?.from).toEqual([
      { ipBlock: { cidr: '10.0.0.0/8' } },
      { namespaceSelector: {}, podSelector: { matchLabels: { app: 'dragonfly' } } },
    ]);
    const job = manifests.find(({ kind }) => kind === 'Job');
    expect(JSON.stringify(job?.spec)).toContain('"labels":{"app":"dragonfly"');
  });

  it('holds the dashboard as it is, where the sidecar of Grafana looks for it', () => {
    const named = ({ metadata }: Manifest): boolean => metadata.name.endsWith('-dashboard');
    const [found] = rendered({ ...MANAGER, dashboard: { enable: true } }).manifests.filter(named);
    expect(found?.metadata.labels).toMatchObject({ grafana_dashboard: '1', app: 'dragonfly' });
    expect(found?.data?.['dragonfly-manager-gateway.json']).toBe(readFileSync(DASHBOARD, 'utf8'));
    expect(rendered(MANAGER).manifests.filter(named)).toEqual([]);
  });

  it('holds the alerts as they are, and more, with links where there is something to link to', () => {
    const groupsOf = (values: object): { name: string; rules: Rule[] }[] => {
      const found = rendered(values).manifests.find(({ kind }) => kind === 'PrometheusRule');
      return found?.spec?.groups as { name: string; rules: Rule[] }[];
    };
    const metrics = { prometheusRule: { enable: true } };
    expect(groupsOf({ ...MANAGER, metrics })[0]?.rules).toEqual(rules());
    const [ours, more] = groupsOf(ALL['with everything'] as object);
    expect(more?.rules).toEqual([{ alert: 'Mine', expr: 'vector(1)' }]);
    expect(ours?.rules.map(({ annotations }) => annotations)).toEqual(
      rules().map(({ annotations: { runbook, summary } }) => ({
        summary,
        runbook_url: runbook.replace('docs/runbooks', 'https://example.org/runbooks'),
      })),
    );
  });
});
