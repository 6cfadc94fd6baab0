import type { MethodDefinition } from '@grpc/proto-loader';
import { loadServiceDefinitions } from '../../route/proto.js';
import { Code } from '../../rpc/status.js';
import type { ManagerVersion } from './manager-version.js';
import type { Message } from './messages.js';
import { Refusal } from './refusal.js';
import type { Fields } from './validation.js';

/** What one version of a manager serves, and how its messages are read and written. */
export interface Codec {
  /** The refusal of a path that is not served, in grpc-go's words; undefined: it is. */
  refusalOf(path: string): Refusal | undefined;
  /** "ListSchedulersRequest" */
  requestName(path: string): string;
  decode(path: string, message: Buffer): Fields;
  encode(path: string, message: Message): Buffer;
}

/** Only in v2.1.55. */
const OLD_METHODS = new Set([
  '/manager.Manager/GetObjectStorage',
  '/manager.Manager/ListBuckets',
  '/manager.Manager/CreateModel',
  '/security.Certificate/IssueCertificate',
]);
/** In newer health services than theirs. */
const NEVER_SERVED = '/grpc.health.v1.Health/List';

export function createCodec(version: ManagerVersion): Codec {
  const methods = servedMethods(version);
  const services = new Set([...methods.keys()].map((path) => path.split('/')[1]));
  const at = (path: string): MethodDefinition<object, object> => {
    const method = methods.get(path);
    if (method === undefined) throw refusal(path, services);
    return method;
  };
  return {
    refusalOf: (path) => (methods.has(path) ? undefined : refusal(path, services)),
    requestName: (path) => (at(path).requestType.type as { readonly name: string }).name,
    decode(path, message) {
      try {
        return at(path).requestDeserialize(message) as Fields;
      } catch {
        throw new Refusal(
          Code.INTERNAL,
          'grpc: error unmarshalling request: proto: cannot parse invalid wire-format data',
        );
      }
    },
    encode: (path, message) => at(path).responseSerialize(message),
  };
}

function servedMethods(version: ManagerVersion): Map<string, MethodDefinition<object, object>> {
  // The definitions come from proto-loader, whose methods know their message types; grpc-js's type forgets them.
  const all = Object.values(loadServiceDefinitions()).flatMap((service) =>
    Object.values(service),
  ) as unknown as MethodDefinition<object, object>[];
  const served = all.filter(
    ({ path }) => path !== NEVER_SERVED && (version === 'v2.1.55' || !OLD_METHODS.has(path)),
  );
  return new Map(served.map((method) => [method.path, method]));
}

function refusal(path: string, services: ReadonlySet<string | undefined>): Refusal {
  const [, service, method] = /^\/?(.*)\/([^/]*)$/.exec(path) ?? [];
  if (service === undefined)
    return new Refusal(Code.UNIMPLEMENTED, `malformed method name: ${JSON.stringify(path)}`);
  return services.has(service)
    ? new Refusal(Code.UNIMPLEMENTED, `unknown method ${method} for service ${service}`)
    : new Refusal(Code.UNIMPLEMENTED, `unknown service ${service}`);
}
