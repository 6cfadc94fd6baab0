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

const recorded: Recorded[] = JSON.parse(
  readFileSync(new URL('../../fixtures/recordings/manager-v2.5.1.json', import.meta.url), 'utf8'),
);

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

describe('a simulated v2.5.1', () => {
  it('answers the recorded calls byte for byte, from the first registration to the last stream', async () => {
    const record = seedFromRecordings({ nodes: false });
    manager = await startSimulatedManager({ record, lateInactive: { probability: 0, delayMs: 0 } });
    client = new RawClient(manager.address);
    const streams = [client.open(KEEP_ALIVE), client.open(KEEP_ALIVE)];
    const state = (hostname: string, ip: string) =>
      record.findScheduler({ hostname, ip, clusterId: 1 })?.state;

    for (const { note, path, request, code, message = '', response } of recorded) {
      if (note.startsWith('keepalive')) {
        streams[0]?.send(Buffer.from(request, 'base64'));
        streams[1]?.send(SCHED_B_STREAM);
        await expect.poll(() => record.countActive('scheduler')).toBe(2);
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
      }
      const answer = await client.unary(path, Buffer.from(request, 'base64'));
      expect({ note, code: answer.code, message: answer.message }).toEqual({ note, code, message });
      expect(answer.response?.toString('base64'), note).toEqual(response);
    }
  });
});
