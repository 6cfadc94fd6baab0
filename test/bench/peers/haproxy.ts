import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../src/simulator/free-port.js';
import { run, start } from '../processes.js';
import type { Target } from './target.js';

/** One thread, HTTP/2 on both sides, connections to the manager shared. */
export const haproxy: Target = {
  name: 'haproxy',
  async version() {
    const said = await run('haproxy', ['-v'], '');
    return /version (\d+\.\d+\.\d+)/.exec(said)?.[1] ?? said.trim();
  },
  async start({ managerPort, cores, directory }) {
    const port = await freePort();
    const file = join(directory, `haproxy-${port}.cfg`);
    writeFileSync(file, config(port, managerPort));
    return { port, process: start('haproxy', ['-db', '-f', file], cores) };
  },
};

const config = (port: number, managerPort: number): string => `global
  nbthread 1
  maxconn 12000
  no strict-limits
defaults
  mode http
  timeout connect 3s
  timeout client 1h
  timeout server 1h
  http-reuse always
frontend callers
  bind 127.0.0.1:${port} proto h2
  default_backend managers
backend managers
  server manager 127.0.0.1:${managerPort} proto h2
`;
