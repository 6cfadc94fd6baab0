import { expect } from 'vitest';
import type { CanaryWorld } from './canary-world.js';
import { requestOf } from './data-path.js';
import { connectWire, type WireOutcome } from './promises-wire.js';
import { until } from './until.js';

const V1 = '/manager.Manager';
const V2 = '/manager.v2.Manager';
const STORAGE = `${V1}/GetObjectStorage`;
const CERTIFICATE = '/security.Certificate/IssueCertificate';
const MODEL = `${V1}/CreateModel`;
const LIST = `${V2}/ListSchedulers`;
const GET = `${V2}/GetScheduler`;
const UPDATE = `${V2}/UpdateScheduler`;
const KEEP_ALIVE = `${V2}/KeepAlive`;

/** Says, and is told, what is nobody else's business. `hostname` is no secret. */
export interface CanaryCaller {
  /** Every kind of call, twice. */
  talk(): Promise<void>;
  /** Two KeepAlive streams, one of them with a credential; they stay. */
  beat(): Promise<void>;
  register(withCredential: boolean): Promise<WireOutcome>;
  /** Asks for a node that does not exist. */
  missNode(): Promise<WireOutcome>;
  /** What was told besides the answers themselves. */
  readonly outcomes: readonly WireOutcome[];
  close(): Promise<void>;
}

export async function connectCanaryCaller(world: CanaryWorld, hostname: string): Promise<CanaryCaller> {
  const wire = await connectWire(world.caller);
  const { secrets } = world;
  const node = { source_type: 'SCHEDULER_SOURCE', hostname, ip: '127.0.0.9' };
  const ask = { hostname, ip: '127.0.0.9' };
  const outcomes: WireOutcome[] = [];
  const credential = { authorization: `Bearer ${secrets['credential of a call']}` };

  const call = async (path: string, fields: object, headers = {}): Promise<WireOutcome> => {
    const made = wire.open(path, headers);
    void made.send(requestOf(path, fields));
    made.halfClose();
    const outcome = await made.outcome;
    outcomes.push({ ...outcome, messages: [] });
    return outcome;
  };
  const register: CanaryCaller['register'] = (withCredential) =>
    call(UPDATE, { ...node, port: 8002, scheduler_cluster_id: '1' }, withCredential ? credential : {});

  return {
    outcomes,
    register,
    missNode: () => call(GET, { ...ask, hostname: 'nobody', scheduler_cluster_id: '1' }),
    async talk() {
      for (let times = 0; times < 2; times++) {
        const storage = await call(STORAGE, ask);
        const told = Buffer.from(storage.messages.join(''), 'hex').toString('latin1');
        expect(told).toContain(secrets['secret key of GetObjectStorage']);
        const others = [
          await call(CERTIFICATE, { csr: Buffer.from(secrets['request of IssueCertificate']) }),
          await call(MODEL, { ...ask, hostname: secrets['request of CreateModel'] }),
          await call(LIST, ask),
          await call(LIST, ask, credential),
          await register(true),
          await register(false),
        ];
        expect(others.filter(({ code }) => code !== '0')).toEqual([]);
      }
    },
    async beat() {
      const alive = { authorization: `Bearer ${secrets['credential of a stream']}` };
      for (const headers of [alive, {}]) {
        const message = requestOf(KEEP_ALIVE, { ...node, cluster_id: '1' });
        await wire.open(KEEP_ALIVE, headers).send(message);
      }
      await until('both streams are at the manager', () => world.manager.stats.keepAliveStreamsOpen === 2);
    },
    close: () => wire.close(),
  };
}
