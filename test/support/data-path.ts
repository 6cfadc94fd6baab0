import type { Config } from '../../src/config/config.js';
import { loadConfig } from '../../src/config/load.js';
import { createDataPath, type DataPath, type DataPathOptions } from '../../src/data-path.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import { createClassifier } from '../../src/route/classify.js';
import { decodeRequest, loadServiceDefinitions, requestFieldNumbers } from '../../src/route/proto.js';
import type { Read, ReadAnswer } from '../../src/rpc/read.js';
import { ManualClock } from './manual-clock.js';
import { ok, ScriptedUpstream } from './scripted-upstream.js';

/** The stages as `gateway.ts` wires them, with a manager and a clock in the test's hand. */
export interface Bench {
  readonly clock: ManualClock;
  readonly upstream: ScriptedUpstream;
  readonly path: DataPath;
  readonly events: GatewayEvent[];
  read(method: string, fields: object, over?: Partial<Read>): Read;
  of<K extends GatewayEvent['kind']>(kind: K): Extract<GatewayEvent, { kind: K }>[];
}

export function configOf(yaml: string, sets: readonly string[] = []): Config {
  return loadConfig({ text: yaml, env: {}, sets });
}

/** Nodes that leave a list here are inactive, not gone. */
const knowsEveryNode: NonNullable<Parameters<typeof createDataPath>[0]['witness']> = {
  unary: () => Promise.resolve({ reply: ok(Buffer.alloc(0)), askedAtMs: 0, answeredAtMs: 0, manager: '0' }),
};

/** `isAlive`: whose KeepAlive streams are here. */
export function bench(yaml = '', over: Pick<DataPathOptions, 'isAlive' | 'mode'> = {}): Bench {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock);
  const events: GatewayEvent[] = [];
  const config = configOf(yaml);
  const path = createDataPath({
    config,
    upstream,
    clock,
    random: () => 0.5,
    emit: (e) => events.push(e),
    witness: knowsEveryNode,
    ...over,
  });
  const classifier = createClassifier({ fleetId: '', decoder: { decodeRequest, requestFieldNumbers } });
  return {
    clock,
    upstream,
    path: { ...path, answerRead: (read) => asCallersAre(path, read) },
    events,
    read(method, fields, over = {}) {
      const fullPath = method.startsWith('/') ? method : `/manager.v2.Manager/${method}`;
      const message = requestOf(fullPath, fields);
      const question = classifier.question(fullPath, message);
      if (question === undefined) throw new Error(`${fullPath} asks nothing`);
      return {
        question,
        metadata: {},
        message,
        deadlineMs: undefined,
        signal: undefined,
        attempts: 'several',
        ...over,
      };
    },
    of: (kind) => events.filter((event) => event.kind === kind) as never,
  };
}

/** As a caller's read is answered: at once, if memory can, and else by the stages. */
export function asCallersAre(
  { answerNow, answerRead }: Pick<DataPath, 'answerNow' | 'answerRead'>,
  read: Read,
): Promise<ReadAnswer> {
  const now = answerNow(read);
  return now === undefined ? answerRead(read) : Promise.resolve(now);
}

function methodAt(path: string): {
  requestSerialize(v: object): Buffer;
  responseSerialize(v: object): Buffer;
} {
  const [, service, method] = path.split('/') as [string, string, string];
  const definition = (loadServiceDefinitions() as Record<string, Record<string, unknown>>)[service]?.[method];
  if (definition === undefined) throw new Error(`no method ${path}`);
  return definition as never;
}

export function requestOf(path: string, fields: object): Buffer {
  return methodAt(path).requestSerialize(fields);
}

export function responseOf(path: string, fields: object): Buffer {
  return methodAt(path).responseSerialize(fields);
}

/** Lets promises and callbacks that are due run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
