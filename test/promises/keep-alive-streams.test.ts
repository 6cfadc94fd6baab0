import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeName } from '../../src/simulator/manager/manager-record.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';
import { type LocalShieldManager, startLocalManager } from '../support/shield-manager.js';
import { lapsesBetween } from '../support/shield-meter.js';
import {
  connectPeer,
  type Ending,
  type ShieldApi,
  type ShieldStream,
  type StreamPeer,
} from '../support/shield-stream.js';
import { scaledSettings } from '../support/shield-world.js';

const TIME_FACTOR = 10;
const POLLED = { interval: 2, timeout: 10_000 };

let manager: LocalShieldManager;
let running: RunningGateway;
let peers: StreamPeer[];
let nodesMade = 0;

beforeAll(async () => {
  manager = await startLocalManager({ timeFactor: TIME_FACTOR });
  // Beats come when the test says so: nobody is let go for being silent meanwhile.
  running = await startGateway({ managers: [manager.address], sets: scaledSettings(1) });
  peers = await Promise.all(Array.from({ length: 4 }, () => connectPeer(running.address)));
});
afterAll(async () => {
  await Promise.all(peers.map((peer) => peer.close()));
  await running.gateway.stop();
  await manager.stop();
});

/** What is done to the streams of a node, one after the other: a stream that is not open is opened, an open one ended. */
type Act = {
  readonly stream: number;
  readonly api: ShieldApi;
  readonly peer: number;
  readonly ending: Ending;
};

function newNode(): NodeName {
  const number = nodesMade++;
  const kind = number % 2 === 0 ? 'scheduler' : 'seed-peer';
  const ip = `127.99.${number >> 8}.${number & 0xff}`;
  const name: NodeName = { kind, clusterId: 1, hostname: `${kind}-${number}`, ip };
  const { record } = manager.simulated;
  if (kind === 'scheduler') record.addScheduler(name);
  else record.addSeedPeer(name);
  return name;
}

const stateOf = (node: NodeName): string | undefined =>
  manager.simulated.record.stateHistory(node).at(-1)?.state;

/** Messages of the node that the manager has seen on all its streams. */
function beatsSeen(node: NodeName): number {
  return manager.simulated
    .calls()
    .filter(({ path, requestBytes }) => path.endsWith('/KeepAlive') && requestBytes.includes(node.hostname))
    .reduce((sum, { messages }) => sum + messages, 0);
}

/** Does it, and looks after each act whether the node is active exactly while a stream lives. */
async function play(acts: readonly Act[]): Promise<void> {
  const node = newNode();
  const open = new Map<number, ShieldStream>();
  let livesFromMs: number | undefined;
  for (const { stream, api, peer, ending } of acts) {
    const old = open.get(stream);
    if (old === undefined) {
      const seen = beatsSeen(node);
      const opened = peers[peer]?.open(node, api);
      if (opened === undefined) throw new Error(`no peer ${peer}`);
      opened.beat();
      open.set(stream, opened);
      await expect.poll(() => beatsSeen(node), POLLED).toBeGreaterThan(seen);
      await expect.poll(() => stateOf(node), POLLED).toBe('active');
      livesFromMs ??= performance.now();
    } else {
      open.delete(stream);
      const isLast = open.size === 0;
      // Until here there was always one alive.
      if (isLast)
        expect(
          lapsesBetween(manager.simulated.record.stateHistory(node), livesFromMs ?? 0, performance.now()),
        ).toEqual([]);
      if (isLast) livesFromMs = undefined;
      if (ending === 'half-close')
        expect(await old.halfClose()).toEqual({ code: 0, details: '', messages: 0 });
      else old.cancel();
      if (isLast) await expect.poll(() => stateOf(node), POLLED).toBe('inactive');
      else expect(stateOf(node)).toBe('active');
    }
  }
  expect(open.size).toBe(0);
}

const APIS: readonly ShieldApi[] = ['v1', 'v2'];
const ENDINGS: readonly Ending[] = ['half-close', 'cancel'];

describe('a node is active exactly while one of its streams lives', () => {
  it('with two, opened and ended in every order, of either API, by either end', async () => {
    const orders = [
      [0, 0, 1, 1],
      [0, 1, 0, 1],
      [0, 1, 1, 0],
    ];
    const cases = orders.flatMap((order) =>
      APIS.flatMap((first) =>
        APIS.flatMap((second) =>
          ENDINGS.flatMap((one) =>
            ENDINGS.map((other) =>
              order.map((stream) => ({
                stream,
                peer: stream,
                api: stream === 0 ? first : second,
                ending: stream === 0 ? one : other,
              })),
            ),
          ),
        ),
      ),
    );
    for (const acts of cases) await play(acts);
    expect(cases).toHaveLength(48);
  });

  it('with twenty, in any order', async () => {
    const act = fc.record({
      stream: fc.nat(19),
      api: fc.constantFrom(...APIS),
      peer: fc.nat(3),
      ending: fc.constantFrom(...ENDINGS),
    });
    const acts = fc.array(act, { minLength: 20, maxLength: 60 }).map(ending);
    await fc.assert(fc.asyncProperty(acts, play), { numRuns: 25 });
  }, 60_000);
});

/** With what is open at the end ended. */
function ending(acts: Act[]): Act[] {
  const open = new Map<number, Act>();
  for (const act of acts) {
    if (!open.delete(act.stream)) open.set(act.stream, act);
  }
  return [...acts, ...open.values()];
}
