import type { ProtoSchema, SchemaField, SchemaMethod } from '../../route/proto-schema.js';

/** The public API at one version. */
export interface PublicSchema {
  readonly version: string;
  readonly schema: ProtoSchema;
}

/** What is compared of one named thing, as texts: for a field `number`, `kind`, `type`, … */
type Facts = Readonly<Record<string, string>>;

/**
 * Every difference between our schema and the public ones, a line each: what a version has and we have not, or have
 * otherwise; and what we have and no version has. Nothing is drift only if all versions agree with us wherever they
 * say anything.
 */
export function driftOf(ours: ProtoSchema, publics: readonly PublicSchema[]): string[] {
  const mine = factsOf(ours);
  const theirs = publics.map(({ version, schema }) => ({ version, facts: factsOf(schema) }));
  const known = new Set(theirs.flatMap(({ facts }) => [...facts.keys()]));
  return [
    ...theirs.flatMap(({ version, facts }) => differences(version, mine, facts)),
    ...[...mine.keys()].filter((name) => !known.has(name)).map((name) => `${name} is in no public version`),
  ];
}

function differences(version: string, mine: ReadonlyMap<string, Facts>, theirs: ReadonlyMap<string, Facts>) {
  return [...theirs].flatMap(([name, expected]) => {
    const found = mine.get(name);
    if (found === undefined) return [`${name} of ${version} is missing`];
    return Object.keys(expected)
      .filter((fact) => found[fact] !== expected[fact])
      .map((fact) => `${name}: ${fact} is ${expected[fact]} in ${version}, ${found[fact]} here`);
  });
}

/** Everything that has a name, with all that is said of it. */
function factsOf({ messages, enums, services }: ProtoSchema): Map<string, Facts> {
  const facts = new Map<string, Facts>();
  for (const [message, fields] of Object.entries(messages)) {
    facts.set(`message ${message}`, {});
    for (const field of fields) facts.set(`field ${message}.${field.name}`, fieldFacts(field));
  }
  for (const [name, values] of Object.entries(enums)) {
    facts.set(`enum ${name}`, {});
    for (const [value, number] of Object.entries(values)) {
      facts.set(`value ${name}.${value}`, { number: String(number) });
    }
  }
  for (const [service, methods] of Object.entries(services)) {
    facts.set(`service ${service}`, {});
    for (const method of methods) facts.set(`method ${service}/${method.name}`, methodFacts(method));
  }
  return facts;
}

function fieldFacts({ number, kind, type, label, oneof }: SchemaField): Facts {
  return { number: String(number), kind, type: type || 'none', label, oneof: oneof || 'none' };
}

function methodFacts({ input, output, clientStream, serverStream }: SchemaMethod): Facts {
  return { input, output, clientStream: String(clientStream), serverStream: String(serverStream) };
}
