import { type KeyMeta, keyMetas, type SectionMeta, sectionMetas } from './keys/registry.js';
import { schema } from './schema.js';

const HEADER = `# manager-gateway: every key with its default. Leave out what you do not change.
# docs/configuration.md says more, and which of these are not built yet. Generated from the schema: npm run docs:config.
`;

/** deploy/manager-gateway.yaml: a file that says nothing but the defaults, with what each key is for. */
export function exampleYaml(): string {
  return `${HEADER}${sectionLines(sectionMetas.get(schema) as SectionMeta, 0).join('\n')}\n`;
}

function sectionLines(section: SectionMeta, depth: number): string[] {
  const indent = '  '.repeat(depth);
  return Object.entries(section.shape).flatMap(([name, child]) => {
    const gap = depth === 0 ? [''] : [];
    const inner = sectionMetas.get(child);
    if (inner !== undefined) {
      // The TTLs of a method fit on a line, and explain themselves seven times over.
      if (depth >= 2) return [`${indent}${name}: ${flow(inner)}`];
      return [
        ...gap,
        `${indent}# ${inner.description}`,
        `${indent}${name}:`,
        ...sectionLines(inner, depth + 1),
      ];
    }
    const meta = keyMetas.get(child);
    return meta === undefined ? [] : [...gap, ...keyLines(name, meta).map((line) => indent + line)];
  });
}

function keyLines(name: string, meta: KeyMeta): string[] {
  const choices = meta.choices.length > 1 ? [`# One of ${meta.allowed}.`] : [];
  // JSON is YAML, and quotes everything that needs it.
  return [`# ${meta.description}`, ...choices, `${name}: ${JSON.stringify(meta.written)}`];
}

function flow(section: SectionMeta): string {
  const given = Object.entries(section.shape).flatMap(([name, child]) => {
    const meta = keyMetas.get(child);
    return meta === undefined || meta.writtenNote !== undefined
      ? []
      : [`${name}: ${JSON.stringify(meta.written)}`];
  });
  return `{ ${given.join(', ')} }`;
}
