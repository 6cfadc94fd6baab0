import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@grpc/grpc-js';
import {
  type ServiceDefinition as LoadedService,
  loadSync,
  type MethodDefinition,
  type PackageDefinition,
} from '@grpc/proto-loader';
import { GatewayError } from '../errors.js';
import { hasShape, type MessageDescriptor, type Shape, shapeOf } from './shape.js';
import { wireFields } from './wire.js';

/** One file per service; what they import is found beside them. */
const FILES = {
  'manager.v2.Manager': 'manager/v2/manager.proto',
  'manager.Manager': 'manager/v1/manager.proto',
  'security.Certificate': 'security/certificate.proto',
  'grpc.health.v1.Health': 'health/v1/health.proto',
} as const;

/** The services that `proto/` describes, by full name as it stands in a path. */
export type ServiceName = keyof typeof FILES;

const SERVICE_NAMES = Object.keys(FILES) as ServiceName[];

/** Field names as in the files; 64-bit integers as decimal strings, since a cluster id may exceed 2^53. */
const OPTIONS = { keepCase: true, longs: String, enums: String, defaults: true } as const;

/** Where the `.proto` files are: two levels above this module, in a checkout (`src/`) as in a package (`dist/`). */
export function protoDirectory(): string {
  return fileURLToPath(new URL('../../proto', import.meta.url));
}

let loaded: PackageDefinition | undefined;

function packages(): PackageDefinition {
  loaded ??= loadSync(Object.values(FILES), { ...OPTIONS, includeDirs: [protoDirectory()] });
  return loaded;
}

/** Every service, for servers and clients of grpc-js. Read from disk once, at the first use of this module. */
export function loadServiceDefinitions(): Readonly<Record<ServiceName, ServiceDefinition>> {
  return {
    'manager.v2.Manager': serviceDefinition('manager.v2.Manager'),
    'manager.Manager': serviceDefinition('manager.Manager'),
    'security.Certificate': serviceDefinition('security.Certificate'),
    'grpc.health.v1.Health': serviceDefinition('grpc.health.v1.Health'),
  };
}

/** The loader's types do not tell services from messages; names of services are ours to know. */
function serviceDefinition(name: ServiceName): LoadedService {
  return packages()[name] as LoadedService;
}

/** A decoded message: see `decodeRequest`. */
export type MessageFields = Readonly<Record<string, unknown>>;

type Method = MethodDefinition<object, object>;

let methods: ReadonlyMap<string, Method> | undefined;

function methodsByPath(): ReadonlyMap<string, Method> {
  methods ??= new Map(
    SERVICE_NAMES.flatMap((name) => Object.values(serviceDefinition(name))).map((method) => [
      method.path,
      method,
    ]),
  );
  return methods;
}

function methodAt(path: string): Method {
  const method = methodsByPath().get(path);
  if (method === undefined) throw new GatewayError('internal', `no method ${path} in proto/`);
  return method;
}

/** Whether `proto/` describes the method at this path: then, and only then, can its messages be decoded. */
export function isDescribed(path: string): boolean {
  return methodsByPath().has(path);
}

/**
 * A request's fields, by their names in `proto/`. Fields with presence (`optional`) that were not sent are absent,
 * others have their default; an unset message is null; bytes are Buffers, enums their names (a number that has none
 * stays a number), maps plain objects.
 * Numbers that `proto/` does not know are dropped, so the result must never be encoded in place of what was received.
 *
 * @throws GatewayError `malformed-request` if the bytes are no such message, `internal` if the path is not described.
 */
export function decodeRequest(path: string, bytes: Buffer): MessageFields {
  const { requestDeserialize } = methodAt(path);
  // protobufjs reads a string that reaches beyond the end as one that ends there, and a field of another type as if it were of its own.
  if (!hasShape(bytes, requestForm(path).shape))
    throw new GatewayError('malformed-request', `unreadable request of ${path}`);
  try {
    return requestDeserialize(bytes) as MessageFields;
  } catch (cause) {
    throw new GatewayError('malformed-request', `unreadable request of ${path}`, { cause });
  }
}

/** A request of our own: fields by their names in `proto/`, 64-bit integers as text or number, enums by name. */
export function encodeRequest(path: string, fields: MessageFields): Buffer {
  return methodAt(path).requestSerialize(fields);
}

/**
 * As `decodeRequest`, for the answer.
 *
 * @throws GatewayError `internal` if the bytes are no such message or the path is not described.
 */
export function decodeResponse(path: string, bytes: Buffer): MessageFields {
  const { responseDeserialize } = methodAt(path);
  if (wireFields(bytes) === undefined) throw new GatewayError('internal', `unreadable answer of ${path}`);
  try {
    return responseDeserialize(bytes) as MessageFields;
  } catch (cause) {
    throw new GatewayError('internal', `unreadable answer of ${path}`, { cause });
  }
}

/**
 * The numbers of the fields that `proto/` knows in the request of this path: a request with others is of a newer API,
 * and more may hang on it than its decoded fields say.
 *
 * @throws GatewayError `internal` if the path is not described.
 */
export function requestFieldNumbers(path: string): ReadonlySet<number> {
  return requestForm(path).numbers;
}

interface RequestForm {
  readonly shape: Shape;
  readonly numbers: ReadonlySet<number>;
}

const forms = new Map<string, RequestForm>();

function requestForm(path: string): RequestForm {
  const known = forms.get(path);
  if (known !== undefined) return known;
  // The loader types a message's descriptor as a bare object; it is a google.protobuf.DescriptorProto.
  const shape = shapeOf(methodAt(path).requestType.type as MessageDescriptor);
  const form = { shape, numbers: new Set(shape.keys()) };
  forms.set(path, form);
  return form;
}
