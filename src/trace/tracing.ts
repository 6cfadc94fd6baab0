import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, Span, Tracer } from '@opentelemetry/api';
import type { Config } from '../config/config.js';
import { statusOfError } from '../errors.js';
import type { Call } from '../rpc/call.js';
import type { Metadata } from '../rpc/metadata.js';
import type { Read, ReadAnswer, Stage } from '../rpc/read.js';
import { codeName } from '../rpc/status.js';
import type { OpenTelemetry } from './open-telemetry.js';

/** How a call ended. */
export interface TracedEnd {
  readonly answer: string;
  readonly code: number;
}

/** Spans for calls and for the stages they pass, by OpenTelemetry; without `tracing.endpoint` nothing at all. */
export interface Tracing {
  /** Loads OpenTelemetry where it is wanted, and only there. */
  start(): Promise<void>;
  /** Runs a call in a span of its own, a child of the caller's where there is one. */
  call<E extends TracedEnd>(call: Call, method: string, run: () => Promise<E>): Promise<E>;
  /** A stage that shows as a span of this name. */
  stage(name: string, stage: Stage): Stage;
  /** What goes up: the caller's, with our span as the parent where there is one. */
  outgoing(metadata: Metadata): Metadata;
  /** What has not been sent yet is, within the deadline of the exporter. Never rejects. */
  stop(): Promise<void>;
}

/** Adds nothing, and costs nothing. */
export const NO_TRACING: Tracing = {
  start: () => Promise.resolve(),
  call: (_call, _method, run) => run(),
  stage: (_name, stage) => stage,
  outgoing: (metadata) => metadata,
  stop: () => Promise.resolve(),
};

export interface TracingOptions {
  readonly config: Config['tracing'];
  readonly version: string;
  readonly onError: (error: unknown) => void;
}

interface Running {
  readonly telemetry: OpenTelemetry;
  readonly tracer: Tracer;
}

/** These live for hours; a span that ends with them helps nobody. */
const LONG = /\/(KeepAlive|Watch)$/;

export function createTracing({ config, version, onError }: TracingOptions): Tracing {
  if (config.endpoint === '') return NO_TRACING;
  const active = new AsyncLocalStorage<Context>();
  let running: Running | undefined;

  return {
    async start() {
      const { startOpenTelemetry } = await import('./open-telemetry.js');
      const telemetry = startOpenTelemetry({ config, version, onError });
      running = { telemetry, tracer: telemetry.tracer };
    },
    call(call, method, run) {
      if (running === undefined || LONG.test(method)) return run();
      const { telemetry, tracer } = running;
      const [service = '', name = ''] = method.split('/', 2);
      const attributes = { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': name };
      const parent = telemetry.extract(call.metadata);
      const span = tracer.startSpan(method, { kind: telemetry.kind.SERVER, attributes }, parent);
      return active.run(telemetry.withSpan(parent, span), () => ended(span, telemetry, run));
    },
    stage: (name, stage) => (next) => {
      const handler = stage(next);
      return (read) => {
        const parent = active.getStore();
        if (running === undefined || parent === undefined) return handler(read);
        const span = running.tracer.startSpan(name, {}, parent);
        return active.run(running.telemetry.withSpan(parent, span), () =>
          inStage(span, running, read, handler),
        );
      };
    },
    outgoing(metadata) {
      const context = active.getStore();
      return running === undefined || context === undefined
        ? metadata
        : running.telemetry.inject(context, metadata);
    },
    async stop() {
      // What could not be sent has been told by the exporter; that it ends is all that is wanted.
      await running?.telemetry.stop().catch(() => undefined);
      running = undefined;
    },
  };
}

async function ended<E extends TracedEnd>(
  span: Span,
  telemetry: OpenTelemetry,
  run: () => Promise<E>,
): Promise<E> {
  try {
    const end = await run();
    span.setAttributes({ 'rpc.grpc.status_code': end.code, 'dfmgw.answer': end.answer });
    if (telemetry.isServerError(end.code))
      span.setStatus({ code: telemetry.statusCode.ERROR, message: codeName(end.code) });
    return end;
  } catch (error) {
    const { code, message } = statusOfError(error);
    span.setAttributes({ 'rpc.grpc.status_code': code, 'dfmgw.answer': 'refused' });
    span.setStatus({ code: telemetry.statusCode.ERROR, message });
    throw error;
  } finally {
    span.end();
  }
}

async function inStage(
  span: Span,
  running: Running | undefined,
  read: Read,
  handler: (read: Read) => Promise<ReadAnswer>,
): Promise<ReadAnswer> {
  try {
    const answer = await handler(read);
    span.setAttributes({
      'dfmgw.source': answer.source,
      'dfmgw.coalesced': answer.coalesced,
      'rpc.grpc.status_code': answer.reply.status.code,
      ...(answer.via === undefined ? {} : { 'dfmgw.via': answer.via }),
    });
    return answer;
  } catch (error) {
    const code = running?.telemetry.statusCode.ERROR;
    if (code !== undefined) span.setStatus({ code, message: statusOfError(error).message });
    throw error;
  } finally {
    span.end();
  }
}
