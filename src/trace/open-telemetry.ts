import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import type { Config } from '../config/config.js';
import type { Metadata } from '../rpc/metadata.js';
import { Code } from '../rpc/status.js';

/** The one place that knows OpenTelemetry. Nothing is registered globally: two gateways in one process have two. */
export interface OpenTelemetry {
  readonly tracer: Tracer;
  readonly kind: typeof SpanKind;
  readonly statusCode: typeof SpanStatusCode;
  /** The caller's context, or none. */
  extract(metadata: Metadata): Context;
  /** With `traceparent` and `tracestate` of the context where it is sampled; as it is otherwise. */
  inject(context: Context, metadata: Metadata): Metadata;
  withSpan(context: Context, span: Span): Context;
  /** Is this the server's fault, as OpenTelemetry's conventions for gRPC see it? */
  isServerError(code: number): boolean;
  stop(): Promise<void>;
}

const EXPORT_TIMEOUT_MS = 5_000;

const SERVER_ERRORS = new Set<number>([
  Code.UNKNOWN,
  Code.DEADLINE_EXCEEDED,
  Code.UNIMPLEMENTED,
  Code.INTERNAL,
  Code.UNAVAILABLE,
  Code.DATA_LOSS,
]);

export interface OpenTelemetryOptions {
  readonly config: Config['tracing'];
  readonly version: string;
  readonly onError: (error: unknown) => void;
}

export function startOpenTelemetry({ config, version, onError }: OpenTelemetryOptions): OpenTelemetry {
  const exporter = new OTLPTraceExporter({ url: config.endpoint, timeoutMillis: EXPORT_TIMEOUT_MS });
  // What cannot be delivered is dropped, and said once until it works again: spans are not worth a queue that grows.
  let failing = false;
  const told: Pick<OTLPTraceExporter, 'export' | 'shutdown' | 'forceFlush'> = {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error !== undefined && !failing) onError(result.error);
        failing = result.error !== undefined;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'dragonfly-manager-gateway',
      'service.version': version,
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(config.sample) }),
    spanProcessors: [new BatchSpanProcessor(told, { exportTimeoutMillis: EXPORT_TIMEOUT_MS })],
  });
  const propagator = new W3CTraceContextPropagator();

  return {
    tracer: provider.getTracer('dragonfly-manager-gateway', version),
    kind: SpanKind,
    statusCode: SpanStatusCode,
    extract: (metadata) =>
      propagator.extract(ROOT_CONTEXT, metadata, {
        get: (from, key) => textOf(from[key]),
        keys: (from) => Object.keys(from),
      }),
    inject(context, metadata) {
      if (trace.getSpan(context)?.isRecording() !== true) return metadata;
      const set: Record<string, string> = {};
      propagator.inject(context, set, {
        set: (to, key, value) => {
          to[key] = value;
        },
      });
      return { ...metadata, ...set };
    },
    withSpan: (context, span) => trace.setSpan(context, span),
    isServerError: (code) => SERVER_ERRORS.has(code),
    stop: () => provider.shutdown(),
  };
}

function textOf(value: Metadata[string] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
