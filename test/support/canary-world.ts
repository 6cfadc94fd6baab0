import { createPrivateKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seedFromRecordings } from '../../src/simulator/manager/recorded-rows.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { makeCertificates } from './certificates.js';
import { type GatewayProcess, runGateway } from './gateway-process.js';
import { Collector } from './otlp-collector.js';
import type { Target } from './promises-wire.js';
import { type RedisProcess, startRedis } from './redis-process.js';
import type { Words } from './search.js';

const canary = (name: string): string => `canary-${name}-${randomBytes(8).toString('hex')}`;
/** The number that an EC key is. */
const numberOf = (pem: string): Buffer =>
  Buffer.from(createPrivateKey(pem).export({ format: 'jwk' }).d ?? '', 'base64url');

/** A gateway process with a secret wherever it takes one, and everything that it speaks to. */
export interface CanaryWorld {
  readonly secrets: Readonly<Record<SecretText, string>>;
  /** The same, and the private keys. */
  readonly words: Words;
  readonly manager: SimulatedManager;
  readonly redis: RedisProcess;
  readonly collector: Collector;
  readonly gateway: GatewayProcess;
  readonly admin: string;
  readonly metrics: string;
  readonly caller: Target;
  /** The file it reads, and the configuration in it. */
  readonly file: string;
  readonly config: object;
  /** `snapshot.dir`. */
  readonly dir: string;
  /** A command of the gateway's, with its configuration: all that it prints. */
  run(args: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

export type SecretText =
  | 'redis.password'
  | 'redis.secret'
  | 'admin.token'
  | 'password in tracing.endpoint'
  | 'access key of GetObjectStorage'
  | 'secret key of GetObjectStorage'
  | 'request of IssueCertificate'
  | 'request of CreateModel'
  | 'credential of a call'
  | 'credential of a stream';

export async function startCanaryWorld(): Promise<CanaryWorld> {
  const secrets = Object.fromEntries(
    (Object.keys(TEXTS) as SecretText[]).map((name) => [name, canary(name.replaceAll(/\W+/g, '-'))]),
  ) as Record<SecretText, string>;
  const [own, managers, redisTls] = [makeCertificates(), makeCertificates(), makeCertificates()];
  const files = mkdtempSync(join(tmpdir(), 'dfmgw-canary-'));
  const dir = join(files, 'state');
  const record = seedFromRecordings({ version: 'v2.1.55' });
  record.objectStorage = {
    name: 's3',
    region: 'r',
    endpoint: 'e',
    accessKey: secrets['access key of GetObjectStorage'],
    secretKey: secrets['secret key of GetObjectStorage'],
    s3ForcePathStyle: true,
    scheme: 'http',
    buckets: ['models'],
  };
  const manager = await startSimulatedManager({
    version: 'v2.1.55',
    record,
    tls: { ...managers.server, caCert: managers.caCert, clientAuth: true },
  });
  const redis = await startRedis({
    password: secrets['redis.password'],
    tls: { certificates: redisTls, clientAuth: true },
  });
  const collector = await Collector.start();
  const config = {
    fleet: { id: 'f1' },
    server: { listen: '127.0.0.1:0', tls: own.server },
    managers: {
      addrs: [`https://${manager.address}`],
      tls: { caCert: managers.caCert, ...managers.client },
      probe: { interval: '300ms' },
    },
    cache: { responseTimer: '100ms' },
    redis: {
      addrs: [redis.address],
      password: secrets['redis.password'],
      secret: secrets['redis.secret'],
      timeout: '3s',
      tls: { enable: true, caCert: redisTls.caCert, ...redisTls.client },
    },
    snapshot: { dir, interval: '50ms' },
    metrics: { addr: '127.0.0.1:0' },
    admin: { addr: '127.0.0.1:0', token: secrets['admin.token'] },
    log: { level: 'trace' },
    tracing: {
      endpoint: collector.endpoint.replace('//', `//otlp:${secrets['password in tracing.endpoint']}@`),
      sample: 1,
    },
  };
  const file = join(files, 'gateway.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config));
  const gateway = runGateway(['serve', '--config', file]);
  const started = await gateway.line({ event: 'started' });
  const run = async (args: readonly string[]): Promise<string> => {
    const command = runGateway([...args, '--config', file]);
    await command.exited;
    return command.lines.map((line) => JSON.stringify(line)).join('\n') + command.stderr();
  };
  return {
    secrets,
    words: {
      ...secrets,
      'server.tls.key': numberOf(own.server.key),
      'managers.tls.key': numberOf(managers.client.key),
      'redis.tls.key': numberOf(redisTls.client.key),
    },
    manager,
    redis,
    collector,
    gateway,
    admin: `http://${started.admin}`,
    metrics: `http://${started.metrics}`,
    caller: { address: String(started.listen), certificates: own },
    file,
    config,
    dir,
    run,
    async stop() {
      gateway.child.kill('SIGKILL');
      await gateway.exited;
      await Promise.all([manager.stop(), redis.stop(), collector.stop()]);
      rmSync(files, { recursive: true });
    },
  };
}

const TEXTS: Readonly<Record<SecretText, true>> = {
  'redis.password': true,
  'redis.secret': true,
  'admin.token': true,
  'password in tracing.endpoint': true,
  'access key of GetObjectStorage': true,
  'secret key of GetObjectStorage': true,
  'request of IssueCertificate': true,
  'request of CreateModel': true,
  'credential of a call': true,
  'credential of a stream': true,
};
