import { type KeyMeta, keyMetas, type SectionMeta, sectionMetas } from './keys/registry.js';
import { schema } from './schema.js';

const INTRODUCTION = `# Configuration

This page is generated from the schema in \`src/config/\`: change that, then run \`npm run docs:config\`.
\`deploy/manager-gateway.yaml\` is a file with every key and its default.

## Where values come from

Later sources win over earlier ones:

1. the defaults below;
2. the YAML file: \`--config FILE\`, or env \`MANAGER_GATEWAY_CONFIG\`, or \`/etc/dragonfly/manager-gateway.yaml\`; an empty file is all defaults;
3. the environment: \`DFMGW__SECTION__KEY\`, case does not matter: \`DFMGW__SERVER__MAXCONNECTIONS=1000\`, \`DFMGW__CACHE__METHODS__LISTSCHEDULERS__TTL=5s\`;
4. \`--set path=value\`, as often as you like: \`--set server.tls.clientAuth=require\`.

Sections are merged key by key; a list replaces the whole list. In env and \`--set\`, text (names, durations, addresses, passwords, PEM)
is taken as it stands, or without the quotes round it; everything else is YAML: \`--set 'managers.addrs=["a:65003", "b:65003"]'\`.

Unknown keys, wrong values and impossible combinations are refused, all of them at once, each with its path, where it was written,
what was found and what is allowed; the exit code is 2. A value is checked even where a later source replaces it.

## How values are written

- **Durations** are those of Go: \`500ms\`, \`1m30s\`, \`1.5h\`, \`72h\`; units \`ns\`, \`us\`, \`ms\`, \`s\`, \`m\`, \`h\`; never negative.
- **Addresses of managers**: \`host:port\`, \`http://host:port\` (never TLS), \`https://host:port\` (always TLS), \`dns:///host:port\` (each address
  behind the name is a manager of its own). Without a scheme, and with \`dns:///\`, TLS is used once \`managers.tls.caCert\` or \`managers.tls.cert\`
  is set. Without a port, 65003, whatever the scheme. IPv6 in brackets: \`[2001:db8::1]:65003\`.
- **Addresses to listen on**: \`0.0.0.0:65003\`, \`[::]:65003\` (both families), \`127.0.0.1:8080\`, \`:8000\` (every interface). Port 0 takes any free one.
- **PEM**: the path of a file, relative to the working directory, or the PEM itself. Files are read at the start; what cannot be read, is not
  PEM, or does not belong together is refused then.
`;

const COMBINATIONS = `## Combinations that are refused

- \`cert\` without \`key\` or \`key\` without \`cert\`, on any side; a \`key\` that does not belong to \`cert\`.
- \`server.tls.clientAuth\` other than none without \`caCert\` and \`cert\`; \`server.tls.caCert\` without \`cert\`.
- \`managers.tls.caCert\` or \`cert\` with an \`http://\` address; \`managers.tls.serverName\` where no address uses TLS.
- The same manager twice in \`managers.addrs\`.
- \`managers.probe.slow\` longer than \`managers.probe.timeout\`; \`cache.responseTimer\` longer than \`managers.requestTimeout\`.
- \`redis.addrs\` without \`fleet.id\`; \`redis.mode: sentinel\` without \`masterName\`; \`redis.mode: cluster\` with a \`db\` other than 0; \`redis.tls.caCert\`, \`cert\` or \`serverName\` without \`enable\`.
- \`server.listen\`, \`metrics.addr\` and \`admin.addr\` on one port of the same interface, as far as they are enabled.
`;

/** docs/configuration.md. */
export function configurationMarkdown(): string {
  const root = sectionMetas.get(schema) as SectionMeta;
  const keys = ['## Keys\n', ...table(rows(root, [])), ...sections(root, [])];
  return [INTRODUCTION, ...keys, COMBINATIONS].join('\n');
}

function sections(section: SectionMeta, above: readonly string[]): string[] {
  return Object.entries(section.shape).flatMap(([name, child]) => {
    const meta = sectionMetas.get(child);
    if (meta === undefined) return [];
    const path = [...above, name];
    const head = [`### \`${path.join('.')}\`\n`, `${meta.description}\n`];
    // A section of nothing but sections (the methods) is one table.
    const own = rows(meta, path);
    if (own.length === 0) return [...head, ...table(rowsOfSections(meta, path))];
    return [...head, ...table(own), ...sections(meta, path)];
  });
}

function table(lines: readonly string[]): string[] {
  return [['| Key | Default | Takes | |', '|---|---|---|---|', ...lines, ''].join('\n')];
}

function rows(section: SectionMeta, path: readonly string[]): string[] {
  return Object.entries(section.shape).flatMap(([name, child]) => {
    const meta = keyMetas.get(child);
    return meta === undefined ? [] : [row([...path, name].join('.'), meta)];
  });
}

function rowsOfSections(section: SectionMeta, path: readonly string[]): string[] {
  return Object.entries(section.shape).flatMap(([name, child]) => {
    const meta = sectionMetas.get(child);
    return meta === undefined ? [] : rows(meta, [...path, name]);
  });
}

function row(path: string, meta: KeyMeta): string {
  const written = meta.writtenNote ?? `\`${JSON.stringify(meta.written)}\``;
  const secret = meta.secret ? ' Never shown in messages.' : '';
  const cells = [`\`${path}\``, written, meta.allowed, sentence(meta.description) + secret];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
