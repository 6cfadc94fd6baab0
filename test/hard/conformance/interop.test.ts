import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from '../../support/certificates.js';
import { type GatewayProcess, runGateway } from '../../support/gateway-process.js';
import { goTools } from '../../support/go-tool.js';
import { connectWire, type Target } from '../../support/promises-wire.js';
import { type InteropServer, startInteropServer } from './interop-server.js';

const MODULE = 'google.golang.org/grpc/interop';
const VERSION = 'v1.85.0';
/** All that need no credentials of a cloud and no resolver of Google's. */
const CASES = [
  'empty_unary',
  'large_unary',
  'client_streaming',
  'server_streaming',
  'ping_pong',
  'empty_stream',
  'timeout_on_sleeping_server',
  'cancel_after_begin',
  'cancel_after_first_response',
  'status_code_and_message',
  'special_status_message',
  'custom_metadata',
  'unimplemented_method',
  'unimplemented_service',
] as const;
const OTHERS = 20;
const UNARY_CALL = '/grpc.testing.TestService/UnaryCall';
/** SimpleRequest with response_size: 1000. */
const SIMPLE_REQUEST = Buffer.from([0x10, 0xe8, 0x07]);

const tools = goTools();
const dir = mkdtempSync(join(tmpdir(), 'interop-ca-'));
let client = '';
let server = '';

beforeAll(async () => {
  client = await tools.install(`${MODULE}/client@${VERSION}`);
  server = await tools.install(`${MODULE}/server@${VERSION}`);
}, 600_000);

afterAll(() => {
  tools.remove();
  rmSync(dir, { recursive: true, force: true });
});

describe.each([
  ['in plaintext', false],
  ['over TLS on both sides', true],
])('gRPC’s interop suite %s', { timeout: 120_000 }, (_name, secured) => {
  let certificates: Certificates | undefined;
  let upstream: InteropServer;
  let gateway: GatewayProcess;
  let address = '';
  let others: { stop(): Promise<readonly string[]> };

  beforeAll(async () => {
    certificates = secured ? makeCertificates() : undefined;
    if (certificates) writeFileSync(join(dir, 'ca.pem'), certificates.caCert);
    upstream = await startInteropServer(server, certificates);
    gateway = startGateway(upstream.port, certificates);
    const started = await gateway.line({ event: 'started' });
    address = String(started.listen);
    others = await startOthers({ address, certificates });
  }, 60_000);

  afterAll(async () => {
    const codes = await others?.stop();
    gateway?.child.kill('SIGTERM');
    expect(await gateway?.exited).toBe(0);
    await upstream?.stop();
    expect([...new Set(codes)]).toEqual(['0']);
  });

  it.each(CASES)('%s passes directly and through the gateway, others being busy', async (name) => {
    const port = Number(address.slice(address.lastIndexOf(':') + 1));
    expect(await played(name, upstream.port, secured)).toEqual({ code: 0, said: '' });
    expect(await played(name, port, secured)).toEqual({ code: 0, said: '' });
  });
});

function startGateway(port: number, certificates: Certificates | undefined): GatewayProcess {
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const tls =
    certificates === undefined
      ? []
      : [
          `server.tls.cert=${file('server.pem', certificates.server.cert)}`,
          `server.tls.key=${file('server.key', certificates.server.key)}`,
          `managers.tls.caCert=${join(dir, 'ca.pem')}`,
        ];
  const sets = [
    'server.listen=127.0.0.1:0',
    'metrics.addr=127.0.0.1:0',
    'admin.enable=false',
    'snapshot.dir=',
    `managers.addrs=["127.0.0.1:${port}"]`,
    ...tls,
  ];
  return runGateway(['serve', ...sets.flatMap((set) => ['--set', set])]);
}

/** One case by gRPC's own client: its exit code, and its last words where it failed. */
function played(name: string, port: number, secured: boolean): Promise<{ code: number; said: string }> {
  const where = [`-server_host=127.0.0.1`, `-server_port=${port}`, `-test_case=${name}`];
  const tls = secured ? ['-use_tls', '-use_test_ca', `-ca_file=${join(dir, 'ca.pem')}`] : [];
  return new Promise((resolve) => {
    execFile(client, [...where, ...tls], { timeout: 60_000 }, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, said: '' });
      else resolve({ code: Number(error.code ?? -1), said: `${stdout}${stderr}`.slice(-500) });
    });
  });
}

/** 20 callers, each on a connection of its own, asking one thing after the other; `stop` says the status of every call. */
async function startOthers(target: Target): Promise<{ stop(): Promise<readonly string[]> }> {
  const codes: string[] = [];
  let stopped = false;
  const busy = Array.from({ length: OTHERS }, async () => {
    const caller = await connectWire(target);
    while (!stopped) {
      const call = caller.open(UNARY_CALL);
      await call.send(SIMPLE_REQUEST);
      call.halfClose();
      codes.push((await call.outcome).code ?? 'none');
    }
    await caller.close();
  });
  return {
    async stop() {
      stopped = true;
      await Promise.all(busy);
      return codes;
    },
  };
}
