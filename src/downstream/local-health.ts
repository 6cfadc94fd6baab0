import type { Readiness } from '../observe/readiness.js';
import type { Call } from '../rpc/call.js';
import { NO_METADATA } from '../rpc/metadata.js';
import { Code, OK_STATUS } from '../rpc/status.js';

/** HealthCheckResponse.status of grpc.health.v1, field 1. */
const SERVING = Buffer.from([0x08, 1]);
const NOT_SERVING = Buffer.from([0x08, 2]);
const SERVICE_UNKNOWN = Buffer.from([0x08, 3]);

export interface LocalHealthOptions {
  readonly readiness: Readiness;
  /** The service that a HealthCheckRequest asks about; "" is the server as a whole. Throws if it is none. */
  readonly serviceOf: (request: Buffer) => string;
  /** Services that health can be asked about, besides "". */
  readonly services: ReadonlySet<string>;
}

/** grpc.health.v1 of the gateway itself: SERVING while it can answer. Source: grpc/doc/health-checking.md. */
export interface LocalHealth {
  /** Resolves with the code that the call ended with. */
  serve(call: Call, method: 'Check' | 'Watch'): Promise<number>;
  /** What Check answers to who asks about the server as a whole, as every daemon does when it connects; undefined: this asks about something else. */
  checkNow(request: Buffer): Buffer | undefined;
}

export function createLocalHealth(options: LocalHealthOptions): LocalHealth {
  return {
    async serve(call, method) {
      const request = (await call.read()) ?? Buffer.alloc(0);
      const service = options.serviceOf(request);
      const known = service === '' || options.services.has(service);
      return method === 'Check' ? check(options, call, known, service) : watch(options, call, known);
    },
    checkNow: (request) => (request.length === 0 ? stateOf(options.readiness) : undefined),
  };
}

function stateOf(readiness: Readiness): Buffer {
  return readiness.serving ? SERVING : NOT_SERVING;
}

async function check(
  { readiness }: LocalHealthOptions,
  call: Call,
  known: boolean,
  service: string,
): Promise<number> {
  if (!known) {
    call.end({ code: Code.NOT_FOUND, message: `unknown service "${service.slice(0, 100)}"` }, NO_METADATA);
    return Code.NOT_FOUND;
  }
  call.sendHeaders(NO_METADATA);
  const taken = call.sendMessage(stateOf(readiness));
  call.end(OK_STATUS, NO_METADATA);
  await taken;
  return Code.OK;
}

/** Sends the state at once and at every change, until the caller leaves. An unknown service stays unknown, unended. */
function watch({ readiness }: LocalHealthOptions, call: Call, known: boolean): Promise<number> {
  call.sendHeaders(NO_METADATA);
  void call.sendMessage(known ? stateOf(readiness) : SERVICE_UNKNOWN);
  return new Promise((resolve) => {
    const leave = (code: number): void => {
      unsubscribe();
      resolve(code);
    };
    const left = (): void => leave(Code.CANCELLED);
    const tell = (): void => {
      if (known) void call.sendMessage(stateOf(readiness));
      // A watcher would otherwise keep the drain waiting for ever.
      if (readiness.draining) {
        call.end({ code: Code.UNAVAILABLE, message: 'manager-gateway is draining' }, NO_METADATA);
        leave(Code.UNAVAILABLE);
      }
    };
    const unsubscribe = readiness.subscribe(tell);
    if (readiness.draining) return tell();
    if (call.signal.aborted) return left();
    call.signal.addEventListener('abort', left, { once: true });
  });
}
