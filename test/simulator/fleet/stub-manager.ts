import {
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { loadServiceDefinitions } from '../../../src/route/proto.js';
import { Code } from '../../../src/rpc/status.js';

type Fields = Record<string, unknown>;
type Reaction = { code: number; message?: string } | { fields: Fields };
type Stream = ServerDuplexStream<Fields, Fields>;

export const SERVING: Reaction = { fields: { status: 'SERVING' } };
export const NOT_SERVING: Reaction = { fields: { status: 'NOT_SERVING' } };
export const ONE_SCHEDULER: Reaction = { fields: { schedulers: [{ id: '1', hostname: 'scheduler-a' }] } };
export const NO_SCHEDULER: Reaction = { fields: { schedulers: [] } };
export const DATABASE_DEAD: Reaction = {
  code: Code.INTERNAL,
  message: 'dial tcp 127.0.0.1:3390: connect: connection refused',
};

const CONTENT: Record<string, Reaction> = {
  Check: SERVING,
  ListSchedulers: ONE_SCHEDULER,
  ListApplications: { code: Code.NOT_FOUND, message: 'application not found' },
};

/** A manager that says what a test wants it to, and remembers who asked. */
export class StubManager {
  readonly streams: { stream: Stream; messages: Fields[] }[] = [];
  readonly seen: { method: string; path: string; fields: Fields }[] = [];
  readonly #peersOf = new Map<string, Set<string>>();
  readonly #reactions = new Map(Object.entries(CONTENT));
  readonly #server = new Server();
  address = '';

  async start(): Promise<this> {
    for (const service of Object.values(loadServiceDefinitions())) {
      for (const [name, method] of Object.entries(service)) this.#register(name, method);
    }
    const port = await new Promise<number>((resolve, reject) => {
      const ready = (error: Error | null, bound: number): void => (error ? reject(error) : resolve(bound));
      this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), ready);
    });
    this.address = `127.0.0.1:${port}`;
    return this;
  }

  react(method: string, reaction: Reaction): void {
    this.#reactions.set(method, reaction);
  }

  /** How often `method` was asked. */
  count(method: string): number {
    return this.seen.filter((call) => call.method === method).length;
  }

  /** Over how many connections `method` was asked. */
  connections(...methods: string[]): number {
    return new Set(methods.flatMap((method) => [...(this.#peersOf.get(method) ?? [])])).size;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  #register(name: string, method: MethodDefinition<Fields, Fields>): void {
    if (name === 'Watch') return;
    if (name === 'KeepAlive') this.#registerStream(method);
    else this.#registerUnary(name, method);
  }

  #registerUnary(name: string, method: MethodDefinition<Fields, Fields>): void {
    this.#server.addService(
      { [name]: method },
      {
        [name]: (call: ServerUnaryCall<Fields, Fields>, answer: sendUnaryData<Fields>) => {
          this.seen.push({ method: name, path: method.path, fields: call.request });
          this.#peersOf.set(name, (this.#peersOf.get(name) ?? new Set()).add(call.getPeer()));
          const reaction = this.#reactions.get(name) ?? { fields: {} };
          if ('fields' in reaction) answer(null, reaction.fields);
          else answer({ code: reaction.code, details: reaction.message ?? '' });
        },
      },
    );
  }

  #registerStream(method: MethodDefinition<Fields, Fields>): void {
    this.#server.addService(
      { KeepAlive: { ...method, responseStream: true } },
      {
        KeepAlive: (stream: Stream) => {
          const held = { stream, messages: [] as Fields[] };
          this.streams.push(held);
          stream.on('data', (fields: Fields) => held.messages.push(fields));
          stream.on('error', () => {});
        },
      },
    );
  }
}

/** Resolves as soon as `condition` holds; the test's own timeout is the bound. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
