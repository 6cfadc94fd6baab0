import { hostname } from 'node:os';
import type { Config } from '../config/config.js';
import type { Metrics } from '../observe/metrics.js';
import type { Readiness } from '../observe/readiness.js';
import type { AdminRoutes } from './admin-routes.js';
import { createHostCheck } from './host-check.js';
import { createHttpServer, type HttpRoute, type HttpServer, text } from './http-server.js';
import { pageRoutes } from './page-files.js';

/** The servers that are enabled. */
export interface Endpoints {
  readonly metricsServer: HttpServer | undefined;
  readonly adminServer: HttpServer | undefined;
}

export interface EndpointsOptions {
  readonly config: Pick<Config, 'metrics' | 'admin'>;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly admin: AdminRoutes;
  readonly onError: (error: unknown) => void;
}

/** Which path is answered where: health and readiness on both addresses, metrics on one, the operator's on the other. */
export function createEndpoints(options: EndpointsOptions): Endpoints {
  const { config, readiness, metrics, admin, onError } = options;
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
  const open = (name: string, addr: Config['admin']['addr'], routes: [string, HttpRoute][]) => ({
    name,
    addr,
    routes: new Map([...probes, ...routes]),
    onError,
  });
  return {
    metricsServer: config.metrics.enable
      ? createHttpServer(open('metrics.addr', config.metrics.addr, [['/metrics', scrape]]))
      : undefined,
    adminServer: config.admin.enable
      ? createHttpServer({
          ...open('admin.addr', config.admin.addr, [...pageRoutes(), ...admin.routes]),
          ...rest(admin),
          mayBeCalled: createHostCheck({
            hosts: () => config.admin.hosts,
            own: [config.admin.addr.host, hostname()],
          }),
        })
      : undefined,
  };
}

function rest({ posts, streams }: AdminRoutes) {
  return { posts, streams };
}
