import { readFileSync } from 'node:fs';
import { isMap, isScalar, type Pair, parseDocument, type Scalar, type YAMLMap } from 'yaml';

/** One value of the chart, with what its comment says. */
interface Value {
  readonly path: readonly string[];
  readonly description: string;
  readonly value: unknown;
}

/** What `values.yaml` says of itself: a key with a comment `# -- …` is one value, a map without one is a section. */
function valuesOf(file: string): Value[] {
  const document = parseDocument(readFileSync(file, 'utf8'));
  return within(document.contents as YAMLMap<Scalar, unknown>, []);
}

function within(map: YAMLMap<Scalar, unknown>, above: readonly string[]): Value[] {
  return (map.items as Pair<Scalar, unknown>[]).flatMap((item, index) => {
    const path = [...above, String(item.key.value)];
    // The comment of a map's first key belongs to the map.
    const comment = item.key.commentBefore ?? (index === 0 ? map.commentBefore : undefined) ?? '';
    const [, description] = /(?:^|\n) ?-- ([\s\S]*)$/.exec(comment) ?? [];
    if (description === undefined) {
      if (!isMap(item.value)) throw new Error(`${path.join('.')} has no comment`);
      return within(item.value as YAMLMap<Scalar, unknown>, path);
    }
    const value = isScalar(item.value) ? item.value.value : (item.value as YAMLMap).toJSON();
    return [{ path, description: description.replaceAll(/\n ?/g, ' ').trim(), value }];
  });
}

/** The chart's README. */
export function chartReadme(file: string): string {
  const rows = valuesOf(file).map(
    ({ path, description, value }) =>
      `| \`${path.join('.')}\` | \`${JSON.stringify(value)}\` | ${description.replaceAll('|', '\\|')} |`,
  );
  return `# dragonfly-manager-gateway

A resilient gRPC gateway between the Dragonfly manager and everything that calls it. This page is generated from the comments in
\`values.yaml\`: change those, then run \`npm run docs:chart\`.

\`\`\`sh
helm install manager-gateway deploy/helm/dragonfly-manager-gateway \\
  --namespace dragonfly-system \\
  --set 'manager.addrs={dragonfly-manager.dragonfly-system.svc.cluster.local:65003}'
\`\`\`

More than one replica without Redis, Redis without \`fleet.id\`, and a Deployment without Redis are refused, with the reason.

| Value | Default | |
|---|---|---|
${rows.join('\n')}
`;
}

/** Free maps: what stands in them is Kubernetes's, the gateway's or the operator's. */
const FREE = /(labels|annotations|selector|scrapers|callerpods|issuerref|^config|affinity|resources)$/i;
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  kind: ['StatefulSet', 'Deployment'],
  mode: ['answer', 'observe', 'bypass'],
  'redis.mode': ['single', 'sentinel', 'cluster'],
  'tls.clientAuth': ['none', 'request', 'require'],
};

type Schema = { [key: string]: unknown; properties?: Record<string, Schema> };

/** The chart's values.schema.json: names that are none are refused, and so are values of another type. */
export function chartSchema(file: string): string {
  const root: Schema = { $schema: 'http://json-schema.org/draft-07/schema#', ...emptyMap() };
  // Helm gives every chart these.
  root.properties = { global: {} };
  for (const { path, description, value } of valuesOf(file)) {
    let at = root;
    for (const step of path.slice(0, -1)) {
      at.properties ??= {};
      at.properties[step] ??= emptyMap();
      at = at.properties[step];
    }
    at.properties ??= {};
    at.properties[path.at(-1) ?? ''] = { description, ...schemaOf(path, value) };
  }
  return `${JSON.stringify(root, undefined, 2)}\n`;
}

function emptyMap(): Schema {
  return { type: 'object', additionalProperties: false, properties: {} };
}

function schemaOf(path: readonly string[], value: unknown): Schema {
  const choices = CHOICES[path.join('.')];
  if (choices !== undefined) return { enum: choices };
  if (Array.isArray(value)) return { type: 'array' };
  if (typeof value === 'object') {
    if (!FREE.test(path.at(-1) ?? ''))
      throw new Error(`${path.join('.')}: a map that is neither free nor a section`);
    return { type: 'object' };
  }
  if (typeof value === 'number') return { type: 'integer', minimum: 0 };
  return { type: typeof value };
}
