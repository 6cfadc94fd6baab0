import { setTimeout as wait } from 'node:timers/promises';
import { type GatewayProcess, runGateway } from './gateway-process.js';
import { type ManagerProcess, startManagerProcess } from './manager-process.js';
import { beatInTurn, crowd, inTurn } from './shield-crowd.js';

export interface FootprintOptions {
  readonly nodes: number;
  readonly connections: number;
  readonly beats: number;
  readonly beatsPerSecond: number;
  /** What a node sends at once, so that it may be late by a busy machine and is not silent. Default 1. */
  readonly beatsInARow?: number;
}

/** What one gateway costs, in a process of its own, by its own metrics. */
export interface Footprint {
  readonly bytesPerConnection: number;
  /** Its connection and its stream at the manager included. */
  readonly bytesPerNode: number;
  /** The part of it that is in use; the rest is what the collector was given to work with. */
  readonly heapBytesPerNode: number;
  /** CPU; that of the idle connections (pings) is in it. */
  readonly microsecondsPerBeat: number;
  readonly lastedMs: number;
  /** Heap in use, with all garbage collected, before the beats, after each quarter of them, and so at their end; bytes. */
  readonly heapBytes: readonly number[];
  readonly residentBytes: readonly number[];
  /** Streams that the manager has seen opened: as many as nodes, if none was replaced. */
  readonly streamsOpened: number;
  readonly nodesActive: number;
}

interface Sample {
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly cpuSeconds: number;
}

const PARTS = 40;
/** Of each node, until its stream is what it will be: some KiB more than right behind its opening. */
const SETTLING_BEATS = 24;
const COLLECTED_EACH = 10;
const COLLECTING = new URL('./collecting.mjs', import.meta.url).href;

export async function measureFootprint(options: FootprintOptions): Promise<Footprint> {
  const { nodes, connections, beats, beatsPerSecond, beatsInARow = 1 } = options;
  const manager = await startManagerProcess(['--recorded-nodes', 'false', '--schedulers', String(nodes)]);
  const gateway = runGateway(['serve', '--config', '/dev/null', ...flags(manager.address)], {
    NODE_OPTIONS: `--import=${COLLECTING}`,
  });
  try {
    const { listen, metrics } = (await gateway.line({ event: 'started' })) as Record<string, string>;
    const sample = (): Promise<Sample> => sampleOf(`http://${metrics}/metrics`);
    const collected = collecting(gateway, sample);
    await collected();
    const empty = await rested(sample);
    const idle = await crowd(String(listen), connections);
    const heapBefore = await collected();
    const connected = await rested(sample);
    const members = await crowd(String(listen), nodes);
    for (const member of members) member.open(String(listen));
    const turns = inTurn(members);
    const pace = { beatsPerSecond, inARow: beatsInARow };
    await beatInTurn(turns, { beats: SETTLING_BEATS * nodes, ...pace });
    const heapAfter = await collected();
    const heapBytes = [heapAfter];
    const samples = [await sample()];
    const fromMs = performance.now();
    for (let part = 0; part < PARTS; part++) {
      await beatInTurn(turns, { beats: beats / PARTS, ...pace });
      samples.push(await sample());
      if ((part + 1) % COLLECTED_EACH === 0) heapBytes.push(await collected());
    }
    const lastedMs = performance.now() - fromMs;
    const seen = await seenBy(manager);
    const closed = [...idle, ...members].filter((member) => member.closed).length;
    for (const member of [...idle, ...members]) member.close();
    if (closed > 0) throw new Error(`${closed} connections were closed by the gateway`);
    const [first = empty, last = empty] = [samples[0], samples.at(-1)];
    return {
      ...seen,
      lastedMs,
      bytesPerConnection: (connected.residentBytes - empty.residentBytes) / connections,
      bytesPerNode: (first.residentBytes - connected.residentBytes) / nodes,
      heapBytesPerNode: (heapAfter - heapBefore) / nodes,
      microsecondsPerBeat: ((last.cpuSeconds - first.cpuSeconds) * 1e6) / beats,
      heapBytes,
      residentBytes: samples.map(({ residentBytes }) => residentBytes),
    };
  } finally {
    gateway.child.kill('SIGKILL');
    await gateway.exited;
    await manager.kill();
  }
}

async function seenBy(manager: ManagerProcess): Promise<Pick<Footprint, 'streamsOpened' | 'nodesActive'>> {
  const { stats } = (await manager.tell({ command: 'stats' })) as {
    stats: { callsByMethod: Record<string, number> };
  };
  const { schedulers } = (await manager.tell({ command: 'rows' })) as { schedulers: { state: string }[] };
  return {
    streamsOpened: stats.callsByMethod['/manager.v2.Manager/KeepAlive'] ?? 0,
    nodesActive: schedulers.filter(({ state }) => state === 'active').length,
  };
}

function flags(managerAddress: string): string[] {
  const settings = [
    'server.listen=127.0.0.1:0',
    'metrics.addr=127.0.0.1:0',
    'admin.enable=false',
    'snapshot.dir=',
    `managers.addrs=["${managerAddress}"]`,
  ];
  return settings.flatMap((setting) => ['--set', setting]);
}

/** Asks for the heap that is in use indeed, bytes. */
function collecting({ child, line }: GatewayProcess, sample: () => Promise<Sample>): () => Promise<number> {
  let times = 0;
  return async () => {
    times++;
    child.kill('SIGUSR2');
    await line({ event: 'collected', times });
    return (await sample()).heapBytes;
  };
}

/** After the collector has had its turn: the least of a few. */
async function rested(sample: () => Promise<Sample>): Promise<Sample> {
  let best = await sample();
  for (let look = 0; look < 5; look++) {
    await wait(300);
    const next = await sample();
    if (next.residentBytes < best.residentBytes) best = next;
  }
  return best;
}

async function sampleOf(url: string): Promise<Sample> {
  const text = await (await fetch(url)).text();
  const value = (name: string): number => {
    const line = new RegExp(`^dragonfly_manager_gateway_${name} ([0-9.e+]+)$`, 'm').exec(text);
    if (line === null) throw new Error(`no ${name} in ${url}`);
    return Number(line[1]);
  };
  return {
    heapBytes: value('nodejs_heap_size_used_bytes'),
    residentBytes: value('process_resident_memory_bytes'),
    cpuSeconds: value('process_cpu_seconds_total'),
  };
}
