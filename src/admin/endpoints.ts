import type { Config } from '../config/config.js';
import type { Metrics } from '../observe/metrics.js';
import type { Readiness } from '../observe/readiness.js';
import { acceptManager } from './accept-manager.js';
import { createHttpServer, type HttpRoute, type HttpServer, type PostRoute, text } from './http-server.js';
import { forgetNodes, listNodes, type NodesSource } from './nodes.js';

/** The servers that are enabled. */
export interface Endpoints {
  readonly metricsServer: HttpServer | undefined;
  readonly adminServer: HttpServer | undefined;
}

export interface EndpointsOptions {
  readonly config: Pick<Config, 'metrics' | 'admin'>;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly world: Parameters<typeof acceptManager>[1];
  readonly nodes: NodesSource;
  readonly onError: (error: unknown) => void;
}

/** Which path is answered where: health and readiness on both addresses, metrics on one, what changes something on the other. */
export function createEndpoints({
  config,
  readiness,
  metrics,
  world,
  nodes,
  onError,
}: EndpointsOptions): Endpoints {
  const probes: [string, HttpRoute][] = [
    ['/healthy', () => text(200, 'healthy\n')],
    [
      '/readyz',
      () => text(readiness.notReady === undefined ? 200 : 503, `${readiness.notReady ?? 'ready'}\n`),
    ],
  ];
  const scrape: HttpRoute = async () => {
    const { text: body, contentType } = await metrics.render();
    return { status: 200, contentType, body };
  };
  const posts = new Map<string, PostRoute>([
    ['/api/accept-manager', acceptManager(config.admin.token, world)],
    ['/api/nodes/forget', forgetNodes(config.admin.token, nodes)],
  ]);
  const { metrics: forMetrics, admin } = config;
  return {
    metricsServer: forMetrics.enable
      ? createHttpServer({
          name: 'metrics.addr',
          addr: forMetrics.addr,
          routes: new Map([...probes, ['/metrics', scrape]]),
          onError,
        })
      : undefined,
    adminServer: admin.enable
      ? createHttpServer({
          name: 'admin.addr',
          addr: admin.addr,
          routes: new Map([...probes, ['/api/nodes', listNodes(nodes)]]),
          posts,
          onError,
        })
      : undefined,
  };
}
