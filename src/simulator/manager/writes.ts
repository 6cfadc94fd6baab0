import { Code } from '../../rpc/status.js';
import { type Answerer, forgetNode } from './answerer.js';
import type { NodeName } from './manager-record.js';
import { DEFAULT_FEATURES } from './memory-record.js';
import { schedulerMessage, seedPeerMessage } from './messages.js';
import { Refusal } from './refusal.js';
import { number, text } from './validation.js';

/** The row is looked for with its port, but unique without it: another port finds none and cannot be added (source). */
function duplicate(node: NodeName): Refusal {
  const key = node.kind === 'scheduler' ? 'scheduler.uk_scheduler' : 'seed_peer.uk_seed_peer';
  const entry = [node.hostname, node.ip, node.clusterId, 0].join('-');
  return new Refusal(Code.INTERNAL, `Error 1062 (23000): Duplicate entry '${entry}' for key '${key}'`);
}

/** Registers, or registers again: the state of a row that is there stays as it is. */
export const updateScheduler: Answerer = async (parts, ask) => {
  const { fields } = ask;
  const node = { kind: 'scheduler' as const, ...nodeFields(fields, 'scheduler_cluster_id') };
  const port = number(fields, 'port');
  const place = { idc: text(fields, 'idc'), location: text(fields, 'location') };
  const asked = fields.features;
  const features = Array.isArray(asked) && asked.length > 0 ? asked.map(String) : DEFAULT_FEATURES;
  const row = await parts.stores.write(ask.asking, () => {
    const known = parts.record.findScheduler(node);
    if (known === undefined) return parts.record.addScheduler({ ...node, ...place, port, features });
    if (known.port !== port) throw duplicate(node);
    // An ORM's update skips what is empty.
    if (place.idc !== '') known.idc = place.idc;
    if (place.location !== '') known.location = place.location;
    known.features = features;
    known.lastBeatAtMs = parts.record.clock.nowMs();
    return known;
  });
  await forgetNode(parts, ask.asking, node);
  return ask.encode(schedulerMessage(row, ask.api));
};

/** In v2 it also sets the row active, and nothing but a KeepAlive stream ever sets it inactive again. */
export const updateSeedPeer: Answerer = async (parts, ask) => {
  const { fields } = ask;
  const node = { kind: 'seed-peer' as const, ...nodeFields(fields, 'seed_peer_cluster_id') };
  const values = {
    type: text(fields, 'type'),
    idc: text(fields, 'idc'),
    location: text(fields, 'location'),
    downloadPort: number(fields, 'download_port'),
    objectStoragePort: number(fields, 'object_storage_port'),
  };
  const port = number(fields, 'port');
  const row = await parts.stores.write(ask.asking, () => {
    const known = parts.record.findSeedPeer(node);
    if (known === undefined) {
      const state = ask.api === 'v2' ? 'active' : 'inactive';
      return parts.record.addSeedPeer({ ...node, ...values, port, state });
    }
    if (known.port !== port) throw duplicate(node);
    if (values.type !== '') known.type = values.type;
    if (values.idc !== '') known.idc = values.idc;
    if (values.location !== '') known.location = values.location;
    if (values.downloadPort !== 0) known.downloadPort = values.downloadPort;
    if (values.objectStoragePort !== 0) known.objectStoragePort = values.objectStoragePort;
    if (ask.api === 'v2') parts.record.setState(node, 'active', 'updated');
    return known;
  });
  await forgetNode(parts, ask.asking, node);
  return ask.encode(seedPeerMessage(row, ask.api));
};

/** Gone for good, without a word to any cache; deleting nothing is fine, and without an ip the hostname decides. */
export const deleteSeedPeer: Answerer = async (parts, ask) => {
  const node = { kind: 'seed-peer' as const, ...nodeFields(ask.fields, 'seed_peer_cluster_id') };
  await parts.stores.write(ask.asking, () => parts.record.deleteNode(node));
  return ask.encode({});
};

/** Models go to object storage; what counts here is that each one counts. */
export const createModel: Answerer = async (parts, ask) => {
  await parts.stores.write(ask.asking, () => undefined);
  return ask.encode({});
};

/** A made-up chain: a new one for every request, so that nobody can answer twice with the same. */
let issued = 0;
export const issueCertificate: Answerer = async (_parts, ask) => {
  issued += 1;
  return ask.encode({
    certificate_chain: [`certificate ${issued}`, 'root'].map((name) => Buffer.from(name)),
  });
};

function nodeFields(fields: Parameters<typeof text>[0], clusterField: string): Omit<NodeName, 'kind'> {
  return {
    clusterId: number(fields, clusterField),
    hostname: text(fields, 'hostname'),
    ip: text(fields, 'ip'),
  };
}
