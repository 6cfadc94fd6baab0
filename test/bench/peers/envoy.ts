import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../src/simulator/free-port.js';
import { run, start } from '../processes.js';
import type { Target } from './target.js';

const BINARY = '.bench/python/bin/envoy';
const TYPES = 'type.googleapis.com/envoy.extensions';

/** One worker, HTTP/2 on both sides, no access log, no timeout, no limit that the load could reach. */
export const envoy: Target = {
  name: 'envoy',
  async version() {
    const said = await run(BINARY, ['--version'], '');
    return /\/(\d+\.\d+\.\d+)\//.exec(said)?.[1] ?? said.trim();
  },
  async start({ managerPort, cores, directory }) {
    const port = await freePort();
    const file = join(directory, `envoy-${port}.json`);
    writeFileSync(file, JSON.stringify(config(port, managerPort)));
    const args = ['-c', file, '--concurrency', '1', '--log-level', 'error', '--use-dynamic-base-id'];
    const process = start(BINARY, args, cores);
    process.child.stdout?.resume();
    return { port, process };
  },
};

const address = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } });

function config(port: number, managerPort: number): unknown {
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'manager', timeout: '0s' } }];
  const manager = {
    '@type': `${TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    codec_type: 'HTTP2',
    stat_prefix: 'bench',
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': `${TYPES}.filters.http.router.v3.Router` },
      },
    ],
  };
  const unlimited = { max_connections: 100_000, max_pending_requests: 100_000, max_requests: 100_000 };
  const cluster = {
    name: 'manager',
    type: 'STATIC',
    connect_timeout: '3s',
    circuit_breakers: { thresholds: [unlimited] },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': `${TYPES}.upstreams.http.v3.HttpProtocolOptions`,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: 'manager',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(managerPort) } }] }],
    },
  };
  const filters = [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }];
  return {
    static_resources: {
      listeners: [{ address: address(port), filter_chains: [{ filters }] }],
      clusters: [cluster],
    },
  };
}
