import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Authority, makeAuthority } from '../certificates.js';
import { type GatewayProcess, runGateway } from '../gateway-process.js';
import { type ManagerProcess, startManagerProcess } from '../manager-process.js';
import { type RedisProcess, startRedis } from '../redis-process.js';
import { daySettings, TIME_FACTOR } from './settings.js';

/** One gateway as it is deployed, with a manager and a Redis that speaks TLS, each a process of its own. */
export interface DayWorld {
  readonly gateway: GatewayProcess;
  readonly address: string;
  readonly metrics: string;
  readonly manager: ManagerProcess;
  readonly redis: RedisProcess;
  /** Another certificate in place of that which the gateway shows to Redis. */
  rotate(): void;
  /** Another configuration in the gateway's file, and the signal to read it. */
  reload(): void;
  stop(): Promise<void>;
}

const LOOKING = new URL('./looking.mjs', import.meta.url).href;
/** Of the manager's connections, ms: its 12 hours are longer than the day. */
const CONNECTION_AGE_MS = 90_000;

export async function startDayWorld(): Promise<DayWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'dfmgw-day-'));
  const authority = makeAuthority();
  const at = (name: string): string => join(directory, name);
  rotate(authority, at);
  writeFileSync(at('ca.crt'), authority.caCert);
  const certificates = {
    caCert: authority.caCert,
    server: authority.leaf('redis'),
    client: authority.leaf('test'),
  };
  const [manager, redis] = await Promise.all([
    startManagerProcess(['--time-factor', `${TIME_FACTOR}`, '--connection-age-ms', `${CONNECTION_AGE_MS}`]),
    startRedis({ tls: { certificates, clientAuth: true } }),
  ]);
  let versions = 0;
  const configure = (): void => writeFileSync(at('gateway.yaml'), yaml(versions++));
  configure();
  const settings = [
    ...daySettings(),
    ...['server.listen=127.0.0.1:0', 'metrics.addr=127.0.0.1:0', 'admin.enable=false', 'fleet.id=day'],
    `managers.addrs=["${manager.address}"]`,
    `redis.addrs=["${redis.address}"]`,
    ...['enable=true', `caCert=${at('ca.crt')}`, `cert=${at('tls.crt')}`, `key=${at('tls.key')}`].map(
      (setting) => `redis.tls.${setting}`,
    ),
    `snapshot.dir=${at('data')}`,
  ];
  const flags = settings.flatMap((setting) => ['--set', setting]);
  const gateway = runGateway(['serve', '--config', at('gateway.yaml'), ...flags], {
    NODE_OPTIONS: `--import=${LOOKING} --disable-warning=ExperimentalWarning`,
  });
  const { listen, metrics } = (await gateway.line({ event: 'started' })) as Record<string, string>;
  await Promise.all([
    gateway.line({ event: 'redis-connected' }),
    gateway.line({ event: 'address-state-changed', to: 'healthy' }),
  ]);
  return {
    ...{ gateway, manager, redis, address: String(listen), metrics: String(metrics) },
    rotate: () => rotate(authority, at),
    reload() {
      configure();
      gateway.child.kill('SIGHUP');
    },
    async stop() {
      gateway.child.kill('SIGKILL');
      await gateway.exited;
      await Promise.all([manager.kill(), redis.stop()]);
      authority.end();
      rmSync(directory, { recursive: true });
    },
  };
}

function rotate(authority: Authority, at: (name: string) => string): void {
  const { cert, key } = authority.leaf('gateway');
  writeFileSync(at('tls.crt'), cert);
  writeFileSync(at('tls.key'), key);
}

/** What may change while it runs, by turns. */
function yaml(version: number): string {
  const [responseTimer, maxAttempts] = version % 2 === 0 ? ['500ms', 3] : ['400ms', 2];
  return `cache: { responseTimer: ${responseTimer} }\nretry: { maxAttempts: ${maxAttempts} }\n`;
}
