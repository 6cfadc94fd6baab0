import { randomBytes } from 'node:crypto';
import { rawPeer } from '../../downstream/raw-peer.js';
import { connectCaller } from '../caller.js';
import { requestOf } from '../data-path.js';
import { framed } from '../framed.js';
import { closedByPeer, connectBare } from '../promises-attacked.js';
import { NAMES } from './settings.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const GET = '/manager.v2.Manager/GetScheduler';
const V1_LIST = '/manager.Manager/ListSchedulers';
const PER_CALLER = 250;
/** Calls of one caller at a time: the manager takes so many. */
const AT_ONCE = 10;

/** The last of them that asked. */
let nth = 0;

/** Callers that come one after the other, and again when all have been there, with questions of any kind; how many were answered. */
export async function strangersAsk(address: string, questions: number): Promise<number> {
  let answered = 0;
  for (let from = 0; from < questions; from += PER_CALLER) {
    const caller = await connectCaller(address);
    for (let n = 0; n < Math.min(PER_CALLER, questions - from); n += AT_ONCE) {
      const batch = Array.from({ length: AT_ONCE }, () => caller.call(...questionOf(nth++ % NAMES)));
      answered += (await Promise.all(batch)).filter(({ trailers }) => 'x-dfmgw-cache' in trailers).length;
    }
    await caller.close();
  }
  return answered;
}

function questionOf(name: number): [path: string, request: Buffer] {
  const hostname = `stranger-${name}`;
  const kind = name % AT_ONCE;
  const host = { hostname, ip: '127.9.9.9' };
  const idc = 'idc-a';
  // The manager is asked for one in five of them.
  if (kind === 0) return [GET, requestOf(GET, { ...host, scheduler_cluster_id: '1' })];
  if (kind === 1) return [V1_LIST, requestOf(V1_LIST, { ...host, host_info: { idc } })];
  return [LIST, requestOf(LIST, { ...host, source_type: 'PEER_SOURCE', idc })];
}

/** Connections that speak no HTTP/2, calls that are left, broken messages: what comes to a port. */
export async function rabbleComes(address: string, count: number): Promise<void> {
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  for (let nth = 0; nth < count; nth++) {
    const socket = await connectBare(port);
    const closed = closedByPeer(socket);
    const call = [rawPeer.hello, rawPeer.headers(1, { ':path': GET })];
    const pieces = [
      [randomBytes(200)],
      [...call, rawPeer.data(1, framed(randomBytes(30))), rawPeer.halfClose(1)],
      [...call, rawPeer.data(1, randomBytes(9)), rawPeer.reset(1, 8)],
      [...call, rawPeer.data(1, Buffer.from([0, 0, 0, 9, 1])), rawPeer.halfClose(1), rawPeer.goaway(0)],
    ][nth % 4] as Buffer[];
    socket.end(Buffer.concat(pieces));
    await closed;
    socket.destroy();
  }
}
