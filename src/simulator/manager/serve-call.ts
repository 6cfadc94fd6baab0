import { Code } from '../../rpc/status.js';
import type { Answerer, ManagerParts } from './answerer.js';
import type { Incoming } from './incoming.js';
import { type KeepAliveOptions, keepAlive } from './keep-alive.js';
import { listSchedulers } from './list-schedulers.js';
import type { RateLimit } from './rate-limit.js';
import {
  getObjectStorage,
  getScheduler,
  getSeedPeer,
  listApplications,
  listBuckets,
  listSeedPeers,
} from './reads.js';
import { Refusal } from './refusal.js';
import { type Fields, text, validate } from './validation.js';
import { createModel, deleteSeedPeer, issueCertificate, updateScheduler, updateSeedPeer } from './writes.js';

const ANSWERERS: Readonly<Record<string, Answerer>> = {
  ListSchedulers: listSchedulers,
  GetScheduler: getScheduler,
  GetSeedPeer: getSeedPeer,
  ListSeedPeers: listSeedPeers,
  ListApplications: listApplications,
  GetObjectStorage: getObjectStorage,
  ListBuckets: listBuckets,
  UpdateScheduler: updateScheduler,
  UpdateSeedPeer: updateSeedPeer,
  DeleteSeedPeer: deleteSeedPeer,
  CreateModel: createModel,
  IssueCertificate: issueCertificate,
};

export type CallSettings = { readonly keepAlive: KeepAliveOptions; readonly rateLimit: RateLimit };

/** Answers one call, whatever it is, and ends it. Rejects only on a fault of the simulator's own. */
export async function serveCall(parts: ManagerParts, call: Incoming, settings: CallSettings): Promise<void> {
  try {
    await parts.faults.ended('frozen', call.signal);
    await parts.faults.pause(parts.faults.get('slow')?.delayMs ?? 0, call.signal);
    settings.rateLimit.check(call.path);
    const unserved = parts.codec.refusalOf(call.path);
    if (unserved !== undefined) throw unserved;
    await serveMethod(parts, call, settings);
    // What was asked before a freeze is answered after it.
    await parts.faults.ended('frozen', call.signal);
    call.end();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await parts.faults.ended('frozen', call.signal);
    call.end(error.status);
  }
}

async function serveMethod(parts: ManagerParts, call: Incoming, settings: CallSettings): Promise<void> {
  const [, service = '', method = ''] = call.path.split('/');
  if (service === 'grpc.health.v1.Health') return serveHealth(parts, call, method);
  if (method === 'KeepAlive') return serveKeepAlive(parts, call, settings.keepAlive);
  const answerer = ANSWERERS[method];
  const fields = await readFields(parts, call);
  if (call.signal.aborted) return;
  if (fields === undefined || answerer === undefined)
    throw new Refusal(Code.INTERNAL, 'grpc: no request message');
  const answer = await answerer(parts, {
    path: call.path,
    api: service === 'manager.Manager' ? 'v1' : 'v2',
    fields,
    asking: { signal: call.signal, redisDelayPaid: false },
    encode: (message) => parts.codec.encode(call.path, message),
  });
  await parts.faults.ended('frozen', call.signal);
  call.send(answer);
}

function serveKeepAlive(parts: ManagerParts, call: Incoming, options: KeepAliveOptions): Promise<void> {
  const read = async (): Promise<Fields | undefined> => {
    const fields = await readFields(parts, call);
    // A frozen process sees neither messages nor ends.
    await parts.faults.ended('frozen', parts.lifetime);
    return fields;
  };
  return keepAlive(parts, { read, signal: call.signal }, options);
}

async function readFields(parts: ManagerParts, call: Incoming): Promise<Fields | undefined> {
  const message = await call.read();
  if (message === undefined) return undefined;
  const fields = parts.codec.decode(call.path, message);
  validate(parts.codec.requestName(call.path), fields);
  return fields;
}

/** SERVING, whatever is wrong: it proves nothing. A watch stays open until its caller leaves. */
async function serveHealth(parts: ManagerParts, call: Incoming, method: string): Promise<void> {
  const message = await call.read();
  const service = message === undefined ? '' : text(parts.codec.decode(call.path, message), 'service');
  const isKnown = service === '';
  if (method === 'Check') {
    if (!isKnown) throw new Refusal(Code.NOT_FOUND, 'unknown service');
    call.send(parts.codec.encode(call.path, { status: 'SERVING' }));
    return;
  }
  call.send(parts.codec.encode(call.path, { status: isKnown ? 'SERVING' : 'SERVICE_UNKNOWN' }));
  await new Promise<void>((resolve) => {
    call.signal.addEventListener('abort', () => resolve());
    if (call.signal.aborted) resolve();
  });
}
