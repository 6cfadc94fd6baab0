// Acknowledges registrations while no manager is there, with nothing but Redis to write them to, and says the number of each one once
// it is acknowledged. Killed from outside.
import { writeSync } from 'node:fs';
import { classify } from '../../dist/breaker/classify.js';
import { loadConfig } from '../../dist/config/load.js';
import { createOwnDirectory } from '../../dist/durable/own-directory.js';
import { createRegistrationsPart } from '../../dist/registrations/create-registrations.js';
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  loadServiceDefinitions,
} from '../../dist/route/proto.js';
import { systemClock } from '../../dist/rpc/clock.js';

const [redis, from] = process.argv.slice(2);
const PATH = '/manager.v2.Manager/UpdateScheduler';
const { UpdateScheduler } = loadServiceDefinitions()['manager.v2.Manager'];
const config = loadConfig({
  text: '',
  env: {},
  sets: ['fleet.id=f1', `redis.addrs=["${redis}"]`, 'redis.timeout=5s', 'snapshot.dir='],
});
const reply = (code, message) => ({ headers: {}, trailers: {}, status: { code, message: '' }, message });
const part = createRegistrationsPart({
  config,
  directory: createOwnDirectory({ dir: '', fleetId: 'f1', bootId: undefined, clock: systemClock, emit() {} }),
  // What nobody knows is sent all the same, and taken: that is how a node becomes known.
  mode: () => 'answer',
  upstream: {
    healthy: false,
    statuses: () => [{ state: 'failed' }],
    describeTrouble: () => 'away',
    unary: () => Promise.resolve({ reply: reply(0, Buffer.alloc(0)) }),
  },
  codec: { decodeRequest, decodeResponse, encodeRequest },
  frozen: () => undefined,
  cleared: () => true,
  isAlive: () => undefined,
  acknowledged() {},
  written() {},
  classify,
  clock: systemClock,
  emit() {},
});
await part.load();
const register = (n) => {
  const fields = { source_type: 'SCHEDULER_SOURCE', scheduler_cluster_id: '1', ip: '127.0.0.1', port: 8002 };
  const message = UpdateScheduler.requestSerialize({ ...fields, hostname: `node-${n}` });
  return part.write({ path: PATH, metadata: {}, message, deadlineMs: undefined, signal: undefined });
};
let next = Number(from);
const writeOn = async () => {
  for (;;) {
    const n = next++;
    await register(n);
    const { journaled } = await register(n);
    if (journaled) writeSync(1, `${n}\n`);
  }
};
await Promise.all([writeOn(), writeOn(), writeOn()]);
