import type http2 from 'node:http2';
import { isIP, type Socket } from 'node:net';
import { formatHostPort } from '../../config/addresses.js';
import type { Config, ManagerAddress } from '../../config/config.js';
import { Code, statusText } from '../../rpc/status.js';
import { systemResolver } from '../../upstream/resolver.js';
import { tlsOptions } from '../../upstream/tls.js';
import { exchange, type Said } from '../gateway-caller.js';
import { certificateFinding } from './certificate.js';
import { readDatabase } from './database.js';
import { describeManager } from './describe-manager.js';
import { type Finding, type Findings, findingsAbout, inMs, textOf } from './finding.js';
import { openHttp2, openTcp, openTls } from './peer.js';

type Managers = Config['managers'];

/** Everything that can be told of one entry of `managers.addrs`, from the name down to its database. */
export async function checkManager(
  managers: Managers,
  address: ManagerAddress,
  answerMs: number,
): Promise<Finding[]> {
  const findings = findingsAbout(formatHostPort(address));
  const resolved = await resolve(findings, address);
  const perAddress = await Promise.all(
    resolved.ips.map((ip) =>
      checkAddress(managers, address, { ip, isOneOfSeveral: resolved.ips.length > 1, answerMs }),
    ),
  );
  return [resolved.finding, ...perAddress.flat()].filter((one) => one !== undefined);
}

async function resolve(
  findings: Findings,
  { host }: ManagerAddress,
): Promise<{ finding: Finding | undefined; ips: readonly string[] }> {
  if (isIP(host)) return { finding: undefined, ips: [host] };
  const startedMs = performance.now();
  try {
    const ips = [...new Set(await systemResolver.lookup(host))];
    const found = `${ips.join(', ')} in ${inMs(performance.now() - startedMs)}`;
    return { finding: findings.ok('name resolution', found), ips };
  } catch (error) {
    const advice = `look at managers.addrs and at the name server; "getent hosts ${host}" asks the same`;
    return { finding: findings.failure('name resolution', textOf(error), advice), ips: [] };
  }
}

/** Stops at the first step that fails: what comes after it is only its echo. */
async function checkAddress(
  managers: Managers,
  address: ManagerAddress,
  { ip, isOneOfSeveral, answerMs }: { ip: string; isOneOfSeveral: boolean; answerMs: number },
): Promise<Finding[]> {
  const text = formatHostPort(address);
  const findings = findingsAbout(isOneOfSeveral ? `${text} at ${ip}` : text);
  const made: Finding[] = [];
  let session: http2.ClientHttp2Session | undefined;
  try {
    const socket = await tcp(findings, made, managers, address, ip);
    const secured = socket && (await tls(findings, made, managers, address, socket));
    session = secured && (await http(findings, made, managers, text, secured));
    if (session !== undefined) made.push(...(await ask(findings, managers, session, answerMs)));
  } finally {
    session?.destroy();
  }
  return made;
}

async function tcp(
  findings: Findings,
  made: Finding[],
  { connectTimeoutMs }: Managers,
  { port }: ManagerAddress,
  ip: string,
): Promise<Socket | undefined> {
  const startedMs = performance.now();
  try {
    const socket = await openTcp(ip, port, connectTimeoutMs);
    made.push(findings.ok('TCP', `connected in ${inMs(performance.now() - startedMs)}`));
    return socket;
  } catch (error) {
    const refused = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
    const advice = refused
      ? `nothing listens on port ${port} there: is the manager running, and is its gRPC port (default 65003) meant?`
      : 'a firewall or a network policy may drop it on the way';
    made.push(findings.failure('TCP', textOf(error), advice));
    return undefined;
  }
}

async function tls(
  findings: Findings,
  made: Finding[],
  { tls: keys, connectTimeoutMs }: Managers,
  address: ManagerAddress,
  socket: Socket,
): Promise<Socket | undefined> {
  if (!address.tls) return socket;
  try {
    const secure = await openTls(socket, tlsOptions(keys, address.host), connectTimeoutMs);
    const finding = certificateFinding({
      findings,
      socket: secure,
      name: keys.serverName || address.host,
      nameKey: 'managers.tls.serverName',
      caKey: 'managers.tls.caCert',
      wallMs: Date.now(),
    });
    made.push(finding);
    if (finding.verdict !== 'failure') return secure;
    secure.destroy();
  } catch (error) {
    const advice = 'does it speak TLS at all? without, write the address as http://host:port';
    made.push(findings.failure('TLS', textOf(error), advice));
    socket.destroy();
  }
  return undefined;
}

async function http(
  findings: Findings,
  made: Finding[],
  { connectTimeoutMs, tls: keys }: Managers,
  authority: string,
  socket: Socket,
): Promise<http2.ClientHttp2Session | undefined> {
  const startedMs = performance.now();
  try {
    const session = await openHttp2(socket, authority, connectTimeoutMs);
    made.push(findings.ok('HTTP/2', `SETTINGS after ${inMs(performance.now() - startedMs)}`));
    return session;
  } catch (error) {
    const found = textOf(error);
    const advice = found.startsWith('no HTTP/2 SETTINGS')
      ? 'it takes connections and says nothing: the process is frozen, or this is no gRPC port'
      : keys.cert === ''
        ? 'it may want TLS (managers.tls, https://…), or a certificate of its client (managers.tls.cert)'
        : "it may not know the authority of the gateway's certificate (managers.tls.cert)";
    made.push(findings.failure('HTTP/2', found, advice));
    return undefined;
  }
}

async function ask(
  findings: Findings,
  managers: Managers,
  session: http2.ClientHttp2Session,
  answerMs: number,
): Promise<Finding[]> {
  const call = (path: string, message: Buffer): Promise<Said> =>
    new Promise<Said>((resolve) => exchange(session, path, message, answerMs, resolve)).catch(
      (error: unknown): Said => ({
        status: { code: Code.UNAVAILABLE, message: textOf(error) },
        message: undefined,
        trailers: {},
      }),
    );
  const health = await call('/grpc.health.v1.Health/Check', Buffer.alloc(0));
  const serving = health.status.code === Code.OK && health.message?.[1] === 1;
  const healthText = serving ? 'SERVING' : statusText(health.status);
  const read = await readDatabase(findings, managers, call, serving);
  const healthFinding = serving
    ? findings.ok('health', 'SERVING, which proves little: a manager without its database says so, too')
    : findings.failure(
        'health',
        healthText,
        'what asks Health/Check first, as every daemon does, turns away here',
      );
  return [healthFinding, read, ...(read.verdict === 'failure' ? [] : await describeManager(findings, call))];
}
