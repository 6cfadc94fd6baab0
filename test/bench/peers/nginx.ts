import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../src/simulator/free-port.js';
import { run, start } from '../processes.js';
import type { Target } from './target.js';

/** One worker; it has no streams to share towards the manager, so it keeps a connection for each call in flight. */
export const nginx: Target = {
  name: 'nginx',
  async version() {
    // It says so on standard error, and nowhere else.
    const said = await run('sh', ['-c', 'nginx -v 2>&1'], '');
    return /nginx\/(\d+\.\d+\.\d+)/.exec(said)?.[1] ?? said.trim();
  },
  async start({ managerPort, cores, directory }) {
    const port = await freePort();
    const prefix = join(directory, `nginx-${port}`);
    mkdirSync(prefix, { recursive: true });
    const file = join(prefix, 'nginx.conf');
    writeFileSync(file, config(port, managerPort, prefix));
    return { port, process: start('nginx', ['-p', prefix, '-c', file, '-e', 'stderr'], cores) };
  },
};

const config = (port: number, managerPort: number, prefix: string): string => `daemon off;
worker_processes 1;
worker_rlimit_nofile 60000;
pid ${prefix}/nginx.pid;
error_log stderr crit;
events { worker_connections 25000; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_body_temp_path ${prefix}/body;
  proxy_temp_path ${prefix}/proxy;
  fastcgi_temp_path ${prefix}/fastcgi;
  uwsgi_temp_path ${prefix}/uwsgi;
  scgi_temp_path ${prefix}/scgi;
  upstream managers {
    server 127.0.0.1:${managerPort};
    keepalive 512;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} http2;
    location / {
      grpc_pass grpc://managers;
      grpc_connect_timeout 3s;
      grpc_read_timeout 1h;
    }
  }
}
`;
