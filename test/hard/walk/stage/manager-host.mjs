// Two managers on one database and one Redis, in one process, because what they share has to outlive either of them: one that is killed
// here loses its connections and caches at once, and leaves the rows as they are. Both are frozen with the process.
// Orders come over IPC, what was said and written goes back over it; it ends with the process that started it.
import { createHash } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { decodeRequest } from '../../../../dist/route/proto.js';
import { seedFromRecordings } from '../../../../dist/simulator/manager/recorded-rows.js';
import { startSimulatedManager } from '../../../../dist/simulator/manager/simulated-manager.js';

const { ports, timeFactor, seed } = JSON.parse(process.argv[2] ?? '{}');
const TELL_EVERY_MS = 50;
const EDIT_EVERY_MS = 700;
/** Answers of which the bytes have been told. */
const TOLD_LIMIT = 2_000;
const DAY_MS = 86_400_000;

const offsetMs = offsetOfClocks();
const record = seedFromRecordings({ nodes: false });
record.schedulerClusters[0].scopes = { idc: 'idc-1', location: 'asia|cn' };
record.addCluster({ name: 'cluster-2', scopes: { idc: 'idc-2', location: 'europe|de' } });

let said = [];
let changes = [];
const told = new Set();

const CHANGERS = {
  setState: ([node, state, cause]) => [node, state, cause],
  deleteNode: ([node]) => [node, 'gone', 'deleted'],
  addScheduler: ([row]) => [{ kind: 'scheduler', ...row }, row.state ?? 'inactive', 'registered'],
  addSeedPeer: ([row]) => [{ kind: 'seed-peer', ...row }, row.state ?? 'inactive', 'registered'],
};

/** The record as one manager has it: what is written through it carries its name. */
function writtenBy(via) {
  return new Proxy(record, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const method = value.bind(target);
      const change = CHANGERS[name];
      if (change === undefined) return method;
      return (...args) => {
        const result = method(...args);
        const [{ kind, clusterId, hostname, ip }, state, cause] = change(args);
        if (result)
          changes.push({ key: keyOf({ kind, clusterId, hostname, ip }), state, cause, via, atMs: now() });
        return result;
      };
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
}

function keyOf({ kind, clusterId, hostname, ip }) {
  return `${kind} ${clusterId} ${hostname} ${ip}`;
}

function now() {
  return performance.now() + offsetMs;
}

/** From this process's clock to the machine's: of several looks the one that was interrupted least. */
function offsetOfClocks() {
  const looks = Array.from({ length: 50 }, () => {
    const beforeMs = performance.now();
    const machineMs = Number(process.hrtime.bigint()) / 1e6;
    const tookMs = performance.now() - beforeMs;
    return { tookMs, offsetMs: machineMs - beforeMs - tookMs / 2 };
  });
  return looks.toSorted((one, other) => one.tookMs - other.tookMs)[0].offsetMs;
}

function witness(via) {
  return ({ path, requestBytes, code, message, answer, receivedAtMs, saidAtMs }) => {
    const hash = createHash('sha1')
      .update(answer ?? '')
      .digest('base64');
    const isNew = !told.has(hash);
    if (told.size > TOLD_LIMIT) told.clear();
    told.add(hash);
    const [fromMs, toMs] = [receivedAtMs + offsetMs, saidAtMs + offsetMs];
    said.push({
      via,
      path,
      request: requestBytes,
      code,
      message,
      hash,
      fromMs,
      toMs,
      ...(isNew && answer && { answer }),
    });
  };
}

const own = writtenBy('console');
const managers = await Promise.all(
  ports.map((port, index) =>
    startSimulatedManager({
      port,
      timeFactor,
      seed: seed + index,
      record: writtenBy(index),
      witness: witness(index),
      // At this speed it would sweep schedulers between two beats.
      sweepIntervalMs: DAY_MS,
      connectionAgeMs: 60_000,
    }),
  ),
);

/** KeepAlive streams, by manager: of whom, and how many of their messages have been counted. */
const streams = managers.map(() => new Map());
const callsSeen = managers.map(() => 0);
const heard = new Map();

/** Counts what has come on streams since the last time. What came on one that has ended meanwhile may have been refused: it does not count. */
function listen() {
  for (const [via, manager] of managers.entries()) {
    const open = streams[via];
    const { callsTotal } = manager.stats;
    const fresh = callsTotal - callsSeen[via];
    callsSeen[via] = callsTotal;
    for (const call of fresh === 0 ? [] : manager.calls().slice(-fresh))
      if (call.path.endsWith('/KeepAlive')) open.set(call, { key: undefined, counted: 0 });
    for (const [call, stream] of open) {
      if (call.cancelled || call.code !== undefined) open.delete(call);
      else if (call.messages > stream.counted) {
        stream.key ??= keyOfStream(call);
        heard.set(stream.key, (heard.get(stream.key) ?? 0) + call.messages - stream.counted);
        stream.counted = call.messages;
      }
    }
  }
}

/** Its messages are all the same: one behind the other they are one. */
function keyOfStream({ path, requestBytes }) {
  const { source_type, cluster_id, hostname, ip } = decodeRequest(path, requestBytes);
  const kind = source_type === 'SCHEDULER_SOURCE' ? 'scheduler' : 'seed-peer';
  return keyOf({ kind, clusterId: cluster_id, hostname, ip });
}

const delays = monitorEventLoopDelay({ resolution: 10 });
delays.enable();

/** Somebody edits all the time, so that an answer shows when it was made. */
let edits = 0;
setInterval(() => {
  edits += 1;
  for (const cluster of [...record.schedulerClusters, ...record.seedPeerClusters])
    cluster.bio = `edit ${edits}`;
  record.applications = record.applications.map((row) => ({ ...row, bio: `edit ${edits}` }));
}, EDIT_EVERY_MS);

function tell() {
  listen();
  if (said.length + changes.length > 0) process.send({ kind: 'told', said, changes });
  said = [];
  changes = [];
}
setInterval(tell, TELL_EVERY_MS);

const ORDERS = {
  fault: ({ manager, fault }) => managers[manager].setFault(fault),
  clear: ({ manager, fault }) => managers[manager].clearFault(fault),
  stop: ({ manager }) => managers[manager].stop(),
  restart: ({ manager }) => managers[manager].restart(),
  delete: ({ node }) => own.deleteNode(node),
  rows: () => {
    listen();
    const rows = [
      ...record.schedulers.map((row) => ({ ...row, kind: 'scheduler' })),
      ...record.seedPeers.map((row) => ({ ...row, kind: 'seed-peer' })),
    ];
    return rows.map((row) => {
      const key = keyOf(row);
      return { key, state: row.state, location: row.location, heard: heard.get(key) ?? 0 };
    });
  },
  still: () => {
    const stillMs = delays.max / 1e6;
    delays.reset();
    return stillMs;
  },
  connections: () => managers.map(({ stats }) => stats.connectionsOpen),
};

process.on('message', async (order) => {
  const result = await ORDERS[order.order](order);
  // What happened before it is told before it.
  tell();
  process.send({ kind: 'done', id: order.id, result });
});
process.on('disconnect', () => process.exit(0));
process.send({ kind: 'ready' });
