import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ScriptedAnswer, ScriptedSeenCall } from '../../src/simulator/manager/scripted-manager.js';
import { perform, type Scenario } from '../support/promises-alike.js';
import { grpcCall } from '../support/promises-grpc.js';
import { listSchedulersOf, PATHS } from '../support/promises-messages.js';
import { connectWire, type Target, type WireCall } from '../support/promises-wire.js';
import { startWorld, WAYS, type World } from '../support/promises-world.js';

const MINUTE_MS = 60_000;
/** `managers.requestTimeout`, as it is by default. */
const REQUEST_TIMEOUT_MS = 10_000;
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** The manager says nothing, and sees who waits for it. */
const SILENT: ScriptedAnswer = { ending: 'never' };

const UNCACHED: readonly [string, string][] = [
  ['a call nobody knows', PATHS.unknownService],
  ['a KeepAlive', PATHS.keepAlive],
  ['a write', PATHS.updateScheduler],
];

function timeoutMs({ timeout = '' }: ScriptedSeenCall): number {
  const unitMs = UNIT_MS[timeout.at(-1) ?? ''];
  if (unitMs === undefined) throw new Error(`the manager was told "${timeout}"`);
  return Number(timeout.slice(0, -1)) * unitMs;
}

async function openWire(target: Target, path: string, headers = {}): Promise<WireCall> {
  const caller = await connectWire(target);
  onTestFinished(() => caller.close());
  return caller.open(path, headers);
}

describe.each(WAYS)('the gateway $name', (way) => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld(way, ['retry.maxAttempts=1']);
  });
  afterEach(() => void world.newCalls());
  afterAll(() => world.stop());

  const arrived = (): Promise<void> => expect.poll(() => world.peek().length, { timeout: 20_000 }).toBe(1);
  const seen = (): ScriptedSeenCall => world.peek()[0] as ScriptedSeenCall;

  it.each([...UNCACHED, ['a read', PATHS.list]])(
    'tells the manager how long the caller of %s waits',
    async (name, path) => {
      const answered: Scenario = {
        name,
        path,
        headers: { 'grpc-timeout': '8S' },
        send: [listSchedulersOf(name.replaceAll(' ', '-'))],
        script: { answer: ({ messages }) => ({ messages }) },
      };
      world.script(answered.script);
      expect(await perform(world.through, answered)).toMatchObject({ code: '0' });
      const [call] = world.newCalls();
      // A read is asked for everybody who waits for it, with a deadline of its own.
      const longestMs = path === PATHS.list && way.mode === 'answer' ? REQUEST_TIMEOUT_MS : 8_000;
      expect(timeoutMs(call as ScriptedSeenCall)).toBeLessThanOrEqual(longestMs);
      expect(timeoutMs(call as ScriptedSeenCall)).toBeGreaterThan(0);
    },
  );

  it.each([
    [PATHS.unknownService, '99999999m', 99_999_999],
    [PATHS.keepAlive, '3H', 3 * 60 * MINUTE_MS],
  ])('tells it of a long wait on %s (%s)', async (path, timeout, askedMs) => {
    const script = { answer: () => ({}) };
    world.script(script);
    await perform(world.through, {
      name: timeout,
      path,
      headers: { 'grpc-timeout': timeout },
      send: [],
      script,
    });
    const [call] = world.newCalls();
    expect(timeoutMs(call as ScriptedSeenCall)).toBeLessThanOrEqual(askedMs);
    expect(timeoutMs(call as ScriptedSeenCall)).toBeGreaterThan(askedMs - 10 * MINUTE_MS);
  });

  it.each([PATHS.unknownService, PATHS.keepAlive])(
    'invents no deadline for a caller of %s without one',
    async (path) => {
      const script = { answer: () => ({}) };
      world.script(script);
      await perform(world.through, { name: path, path, send: [], script });
      expect(world.newCalls().map(({ timeout }) => timeout)).toEqual([undefined]);
    },
  );

  it.each(UNCACHED)('takes a cancel of %s to the manager', async (_name, path) => {
    world.script({ answer: () => SILENT });
    const call = await openWire(world.through, path);
    void call.send(listSchedulersOf('cancelled'));
    call.halfClose();
    await arrived();
    expect(seen().cancelled).toBe(false);
    call.cancel();
    await expect.poll(() => seen().cancelled).toBe(true);
  });

  it('takes a cancel in the middle of a stream to the manager', async () => {
    world.script({
      streaming: true,
      answer: async ({ read }) => ({ messages: [(await read()) ?? Buffer.alloc(0)], ending: 'never' }),
    });
    const call = await openWire(world.through, PATHS.keepAlive);
    void call.send(Buffer.from('beat'));
    await call.received(1);
    expect(seen()).toMatchObject({ cancelled: false, halfClosed: false });
    call.cancel();
    await expect.poll(() => seen().cancelled).toBe(true);
  });

  it('takes the loss of a connection of a caller to the manager', async () => {
    world.script({ answer: () => SILENT });
    const caller = await connectWire(world.through);
    const call = caller.open(PATHS.unknownService);
    call.halfClose();
    await arrived();
    await caller.close();
    await expect.poll(() => seen().cancelled).toBe(true);
  });

  it.each(UNCACHED)('ends %s at its deadline, here and at the manager', async (_name, path) => {
    world.script({ answer: () => SILENT });
    const call = await openWire(world.through, path, { 'grpc-timeout': '300m' });
    void call.send(listSchedulersOf('late'));
    call.halfClose();
    expect(await call.outcome).toMatchObject({ code: '4' });
    await expect.poll(() => seen().cancelled).toBe(true);
  });

  it.each([
    ['resets the call', { ending: 'reset' }],
    ['loses the connection', { ending: 'destroy-connection' }],
  ] as const)(
    'tells a client the code it would have got itself when the manager %s',
    async (_name, answer) => {
      world.script({ answer: () => answer });
      // It is the client that turns resets into codes.
      const directly = await grpcCall(world.direct, PATHS.unknownService, []);
      const through = await grpcCall(world.through, PATHS.unknownService, []);
      expect(through.status.code).toBe(directly.status.code);
      expect(through.status.details).not.toBe('');
    },
  );
});
