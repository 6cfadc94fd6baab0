import { createServer } from 'node:net';
import { formatHostPort } from '../../config/addresses.js';
import type { Config } from '../../config/config.js';
import { type Finding, findingsAbout } from './finding.js';

/** The addresses that `serve` will listen on. */
export async function checkPorts({ server, metrics, admin }: Config): Promise<Finding[]> {
  const wanted = [
    { key: 'server.listen', addr: server.listen, enable: true },
    { key: 'metrics.addr', addr: metrics.addr, enable: metrics.enable },
    { key: 'admin.addr', addr: admin.addr, enable: admin.enable },
  ];
  return Promise.all(wanted.filter(({ enable }) => enable).map(({ key, addr }) => checkPort(key, addr)));
}

async function checkPort(
  key: string,
  addr: { readonly host: string; readonly port: number },
): Promise<Finding> {
  const findings = findingsAbout(`${key} ${formatHostPort(addr)}`);
  const error = await bindError(addr);
  if (error === undefined) return findings.ok('port', 'free');
  if (error.code === 'EADDRINUSE') {
    return findings.warning(
      'port',
      'in use',
      'right if the gateway runs here already; if not, another process has it',
    );
  }
  const advice =
    error.code === 'EACCES'
      ? 'this user may not: a port above 1023 needs no right'
      : 'name an address of this machine';
  return findings.failure('port', error.message, advice);
}

function bindError({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const listener = createServer();
    listener.once('error', (error) => resolve(error));
    listener.listen({ ...(host === '' ? {} : { host }), port, exclusive: true }, () =>
      listener.close(() => resolve(undefined)),
    );
  });
}
