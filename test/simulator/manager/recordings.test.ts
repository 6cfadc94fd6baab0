import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { seedFromRecordings } from '../../../src/simulator/manager/recorded-rows.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../../src/simulator/manager/simulated-manager.js';
import { RawClient } from './raw-client.js';

type Recorded = {
  readonly note: string;
  readonly path: string;
  readonly request: string;
  readonly code?: number;
  readonly message?: string;
  readonly response?: string;
};

function recorded(version: 'v2.5.1' | 'v2.1.55'): Recorded[] {
  const file = new URL(`../../fixtures/recordings/manager-${version}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** The recorder opened a second stream, which is not in the recording; what came after shows it. */
const SCHED_B_STREAM = Buffer.from([
  0x12,
  7,
  ...Buffer.from('sched-b'),
  0x18,
  1,
  0x22,
  8,
  ...Buffer.from('10.1.0.2'),
]);
const KEEP_ALIVE = '/manager.v2.Manager/KeepAlive';

let manager: SimulatedManager;
let client: RawClient;

afterEach(async () => {
  client.close();
  await manager.stop();
});

/**
 * What the recorded v2.1.55 answered from caches that an earlier run had filled, so that no order of calls explains
 * it: sched-a without its idc, and a v1 answer made from the v2 one.
 */
const FROM_AN_EARLIER_RUN = [
  /^\/manager.v2.Manager\/ListSchedulers after keepalive$/,
  /^\/manager.v2.Manager\/ListSchedulers seed peer asks its cluster$/,
  /^\/manager.v2.Manager\/ListSchedulers earlier caller/,
  /^\/manager.v2.Manager\/GetSeedPeer seed peer reads itself$/,
  /^\/manager.Manager\/ListSchedulers v1$/,
];

describe.each(['v2.5.1', 'v2.1.55'] as const)('a simulated %s', (version) => {
  it('answers the recorded calls byte for byte, from the first registration to the last stream', async () => {
    const record = seedFromRecordings({ nodes: false, version });
    if (version === 'v2.1.55') {
      record.addScheduler({ hostname: 'sched-real-1', ip: '127.0.0.1', clusterId: 1, state: 'active' });
    }
    const before = record.countActive('scheduler');
    manager = await startSimulatedManager({ version, record, lateInactive: { probability: 0, delayMs: 0 } });
    client = new RawClient(manager.address);
    const streams = [client.open(KEEP_ALIVE), client.open(KEEP_ALIVE)];
    const state = (hostname: string, ip: string) =>
      record.findScheduler({ hostname, ip, clusterId: 1 })?.state;
    let compared = 0;

    for (const { note, path, request, code, message = '', response } of recorded(version)) {
      if (note.startsWith('keepalive')) {
        streams[0]?.send(Buffer.from(request, 'base64'));
        streams[1]?.send(SCHED_B_STREAM);
        await expect.poll(() => record.countActive('scheduler')).toBe(before + 2);
        continue;
      }
      if (note.includes('keepalive cancelled')) {
        streams[0]?.cancel();
        await expect.poll(() => state('sched-a', '10.1.0.1')).toBe('inactive');
      }
      if (note.startsWith('after graceful end')) {
        streams[1]?.halfClose();
        expect(await streams[1]?.status).toMatchObject({ code: 0, details: '' });
        expect(streams[1]?.messages).toEqual([]);
        // No seed peer was active any more by then.
        record.deleteNode({ kind: 'seed-peer', clusterId: 1, hostname: 'seed-a', ip: '' });
      }
      const answer = await client.unary(path, Buffer.from(request, 'base64'));
      expect({ note, code: answer.code, message: answer.message }).toEqual({ note, code, message });
      if (version === 'v2.1.55' && FROM_AN_EARLIER_RUN.some((known) => known.test(`${path} ${note}`)))
        continue;
      expect(answer.response?.toString('base64'), note).toEqual(response);
      compared += 1;
    }
    expect(compared).toBe(version === 'v2.5.1' ? 26 : 23);
  });
});
