import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';

/** A field as a descriptor has it. `type` is the full name of its message or enum, '' for scalars. */
export interface SchemaField {
  readonly name: string;
  readonly number: number;
  readonly kind: string;
  readonly type: string;
  readonly label: 'singular' | 'optional' | 'repeated' | 'map';
  readonly oneof: string;
}

export interface SchemaMethod {
  readonly name: string;
  readonly input: string;
  readonly output: string;
  readonly clientStream: boolean;
  readonly serverStream: boolean;
}

/** Everything by full name; map entries are messages of their own, as on the wire. */
export interface ProtoSchema {
  readonly messages: Readonly<Record<string, readonly SchemaField[]>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly services: Readonly<Record<string, readonly SchemaMethod[]>>;
}

interface Draft {
  messages: Record<string, SchemaField[]>;
  enums: Record<string, Record<string, number>>;
  services: Record<string, SchemaMethod[]>;
}

/** Every `.proto` file below the directory, parsed. (proto-loader's own descriptors leave out oneofs and presence.) */
export function readProtoSchema(directory: string): ProtoSchema {
  const root = new protobuf.Root();
  // What is not in the directory is bundled with the parser: google/protobuf/*.
  root.resolvePath = (_origin, target) =>
    target.startsWith('google/protobuf/') ? target : join(directory, target);
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  root.loadSync(
    files.filter((file) => file.endsWith('.proto')),
    { keepCase: true },
  );
  root.resolveAll();
  const draft: Draft = { messages: {}, enums: {}, services: {} };
  addNested(draft, root);
  return draft;
}

function addNested(draft: Draft, namespace: protobuf.NamespaceBase): void {
  for (const item of namespace.nestedArray) {
    const name = fullName(item);
    if (item instanceof protobuf.Enum) draft.enums[name] = { ...item.values };
    if (item instanceof protobuf.Service) draft.services[name] = item.methodsArray.map(methodOf);
    if (item instanceof protobuf.Type) addMessage(draft, name, item);
    if (item instanceof protobuf.Namespace) addNested(draft, item);
  }
}

function addMessage(draft: Draft, name: string, message: protobuf.Type): void {
  draft.messages[name] = message.fieldsArray.map((field) => {
    if (!(field instanceof protobuf.MapField)) return fieldOf(field);
    const entry = `${name}.${entryName(field.name)}`;
    draft.messages[entry] = [
      { name: 'key', number: 1, kind: field.keyType, type: '', label: 'singular', oneof: '' },
      { name: 'value', number: 2, ...kindOf(field), label: 'singular', oneof: '' },
    ];
    return { name: field.name, number: field.id, kind: 'message', type: entry, label: 'map', oneof: '' };
  });
}

/** As protoc names the message behind a map: host_info → HostInfoEntry. */
function entryName(fieldName: string): string {
  const words = fieldName.split('_').map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  return `${words.join('')}Entry`;
}

function fieldOf(field: protobuf.Field): SchemaField {
  const optional = field.options?.proto3_optional === true;
  return {
    name: field.name,
    number: field.id,
    ...kindOf(field),
    label: field.repeated ? 'repeated' : optional ? 'optional' : 'singular',
    oneof: optional ? '' : (field.partOf?.name ?? ''),
  };
}

function kindOf(field: protobuf.Field): { kind: string; type: string } {
  const type = field.resolvedType;
  if (type === null) return { kind: field.type, type: '' };
  return { kind: type instanceof protobuf.Enum ? 'enum' : 'message', type: fullName(type) };
}

function methodOf(method: protobuf.Method): SchemaMethod {
  if (method.resolvedRequestType === null || method.resolvedResponseType === null) {
    throw new Error(`${method.fullName} refers to messages that are nowhere`);
  }
  return {
    name: method.name,
    input: fullName(method.resolvedRequestType),
    output: fullName(method.resolvedResponseType),
    clientStream: method.requestStream === true,
    serverStream: method.responseStream === true,
  };
}

function fullName(item: protobuf.ReflectionObject): string {
  return item.fullName.replace(/^\./, '');
}
