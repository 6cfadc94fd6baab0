import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../src/simulator/free-port.js';
import type { Certificates } from '../../support/certificates.js';
import { until } from '../../support/until.js';

/** gRPC's own server of its interop suite, in the manager's place. */
export interface InteropServer {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startInteropServer(
  command: string,
  tls: Certificates | undefined,
): Promise<InteropServer> {
  const dir = mkdtempSync(join(tmpdir(), 'interop-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const port = await freePort();
  const secured =
    tls === undefined
      ? []
      : [
          '-use_tls',
          `-tls_cert_file=${file('cert.pem', tls.server.cert)}`,
          `-tls_key_file=${file('key.pem', tls.server.key)}`,
        ];
  const child = spawn(command, [`-port=${port}`, ...secured], { stdio: 'ignore' });
  await until('the interop server accepts', () => accepts(port, child));
  return {
    port,
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function accepts(port: number, child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`the interop server ended with ${child.exitCode}`);
  const socket = net.connect(port, '127.0.0.1');
  const connected = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  return connected;
}
