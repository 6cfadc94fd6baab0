import { setTimeout as wait } from 'node:timers/promises';
import { runGateway } from './gateway-process.js';
import { type ManagerProcess, startManagerProcess } from './manager-process.js';
import { beatInTurn, crowd } from './shield-crowd.js';

export interface FootprintOptions {
  readonly nodes: number;
  readonly connections: number;
  readonly beats: number;
  readonly beatsPerSecond: number;
}

/** What one gateway costs, in a process of its own, by its own metrics. */
export interface Footprint {
  readonly bytesPerConnection: number;
  /** Its connection and its stream at the manager included. */
  readonly bytesPerNode: number;
  /** CPU; that of the idle connections (pings) is in it. */
  readonly microsecondsPerBeat: number;
  readonly lastedMs: number;
  /**
   * Heap in use over the beats, bytes. It goes up and down: what a stream waits with lives as long as a beat is away, and is then
   * collected with the old. What is not collected shows in the lows.
   */
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

export async function measureFootprint(options: FootprintOptions): Promise<Footprint> {
  const { nodes, connections, beats, beatsPerSecond } = options;
  const manager = await startManagerProcess(['--recorded-nodes', 'false', '--schedulers', String(nodes)]);
  const gateway = runGateway(['serve', '--config', '/dev/null', ...flags(manager.address)]);
  try {
    const { listen, metrics } = (await gateway.line({ event: 'started' })) as Record<string, string>;
    const sample = (): Promise<Sample> => sampleOf(`http://${metrics}/metrics`);
    const empty = await rested(sample);
    const idle = await crowd(String(listen), connections);
    const connected = await rested(sample);
    const members = await crowd(String(listen), nodes);
    for (const member of members) member.open(String(listen));
    await beatInTurn(members, 5 * nodes, beatsPerSecond);
    const samples = [await sample()];
    const fromMs = performance.now();
    for (let part = 0; part < PARTS; part++) {
      await beatInTurn(members, beats / PARTS, beatsPerSecond);
      samples.push(await sample());
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
      microsecondsPerBeat: ((last.cpuSeconds - first.cpuSeconds) * 1e6) / beats,
      heapBytes: samples.map(({ heapBytes }) => heapBytes),
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
