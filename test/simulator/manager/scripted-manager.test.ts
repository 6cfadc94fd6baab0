import { Metadata } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type ScriptedAnswer,
  type ScriptedManager,
  type ScriptedManagerOptions,
  startScriptedManager,
} from '../../../src/simulator/manager/scripted-manager.js';
import { RawClient } from './raw-client.js';

const ANY_PATH = '/no.such.Service/NoSuchMethod';
let manager: ScriptedManager;
let client: RawClient;

async function start(options: ScriptedManagerOptions): Promise<void> {
  manager = await startScriptedManager(options);
  client = new RawClient(manager.address);
}
const answering = (answer: ScriptedAnswer) => start({ answer: () => answer });

afterEach(async () => {
  client.close();
  await manager.stop();
});

describe('a scripted manager', () => {
  it('answers a path that no proto knows with the bytes, status and trailers it was given', async () => {
    await answering({ messages: [Buffer.from('answer')], status: { code: 5, message: 'nö 100 %' } });
    expect(await client.unary(ANY_PATH, Buffer.from('question'))).toEqual({
      code: 5,
      message: 'nö 100 %',
      response: Buffer.from('answer'),
    });
    expect(manager.calls()).toMatchObject([
      { path: ANY_PATH, messages: [Buffer.from('question')], halfClosed: true, cancelled: false },
    ]);
  });

  it('sends headers and trailers, -bin ones included, and sees those of the caller', async () => {
    await answering({ headers: { 'x-head': 'h' }, trailers: { 'x-tail-bin': 'AAEC', 'x-tail': ['a', 'b'] } });
    const metadata = new Metadata();
    metadata.set('x-key-bin', Buffer.from([255, 0]));
    const stream = client.open(ANY_PATH, { metadata, deadlineMs: 60_000 });
    stream.halfClose();
    const status = await stream.status;
    expect(status.metadata.get('x-tail-bin')).toEqual([Buffer.from([0, 1, 2])]);
    expect(status.metadata.get('x-tail')).toEqual(['a, b']);
    expect(manager.calls()[0]?.metadata['x-key-bin']).toBe('/wA=');
    expect(manager.calls()[0]?.timeout).toMatch(/^\d+[mS]$/);
  });

  it('forgets calls that have ended where nobody wants them', async () => {
    await start({ answer: () => ({ messages: [Buffer.from('answer')] }), keepsCalls: false });
    for (let call = 0; call < 3; call++) await client.unary(ANY_PATH, Buffer.from('question'));
    await expect.poll(() => manager.calls()).toEqual([]);
    expect(manager.stats).toMatchObject({ callsTotal: 3, callsOpen: 0 });
  });

  it('ends OK without a message', async () => {
    await answering({});
    expect(await client.unary(ANY_PATH, Buffer.from('x'))).toEqual({
      code: 0,
      message: '',
      response: undefined,
    });
  });

  it('says it all in one block when told to', async () => {
    await answering({ trailersOnly: true, status: { code: 12, message: 'unknown service' } });
    expect(await client.unary(ANY_PATH, Buffer.alloc(0))).toMatchObject({
      code: 12,
      message: 'unknown service',
    });
  });

  it.each(['gzip', 'deflate'] as const)('compresses with %s', async (compression) => {
    await answering({ messages: [Buffer.alloc(5_000, 'a')], compression });
    expect((await client.unary(ANY_PATH, Buffer.alloc(0))).response).toEqual(Buffer.alloc(5_000, 'a'));
  });

  it('carries 20 MiB both ways', async () => {
    await start({ answer: ({ messages }) => ({ messages }) });
    const large = Buffer.alloc(20 * 1024 * 1024, 'large');
    expect((await client.unary(ANY_PATH, large)).response?.equals(large)).toBe(true);
  });

  it('echoes a stream message by message, before the half-close', async () => {
    await start({
      streaming: () => true,
      answer: ({ read }) => ({
        messages: (async function* () {
          for (let message = await read(); message !== undefined; message = await read()) yield message;
        })(),
      }),
    });
    const stream = client.open(ANY_PATH);
    for (const text of ['one', 'two']) {
      stream.send(Buffer.from(text));
      await expect.poll(() => stream.messages.at(-1)?.toString()).toBe(text);
    }
    stream.halfClose();
    expect(await stream.status).toMatchObject({ code: 0 });
  });

  it('notices a cancel and a passed deadline', async () => {
    await answering({ ending: 'never' });
    const cancelled = client.open(ANY_PATH);
    cancelled.halfClose();
    await expect.poll(() => manager.calls().length).toBe(1);
    cancelled.cancel();
    await expect.poll(() => manager.calls()[0]?.cancelled).toBe(true);
    expect(await client.unary(ANY_PATH, Buffer.alloc(0), { deadlineMs: 100 })).toMatchObject({ code: 4 });
    await expect.poll(() => manager.stats.callsOpen).toBe(0);
  });

  it('resets a call, breaks a frame and breaks a connection', async () => {
    const answers: ScriptedAnswer[] = [
      { ending: 'reset' },
      { rawBody: Buffer.from([0, 0, 0, 0, 9, 1]) },
      { ending: 'destroy-connection' },
    ];
    await start({ answer: () => answers.shift() ?? {} });
    expect((await client.unary(ANY_PATH, Buffer.alloc(0))).code).toBe(13);
    expect((await client.unary(ANY_PATH, Buffer.alloc(0))).code).not.toBe(undefined);
    expect((await client.unary(ANY_PATH, Buffer.alloc(0))).code).toBe(14);
  });

  it('says GOAWAY, lets calls in flight finish, and takes new ones on a new connection', async () => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await start({
      answer: async ({ path }) => {
        if (path === '/held/Call') await released;
        return { messages: [Buffer.from(path)] };
      },
    });
    const held = client.unary('/held/Call', Buffer.alloc(0));
    await expect.poll(() => manager.stats.callsTotal).toBe(1);
    manager.goaway();
    // grpc-js loses a call that it sends while the GOAWAY arrives, so this asks until it has seen it.
    const ask = async () => (await client.unary('/new/Call', Buffer.alloc(0), { deadlineMs: 500 })).response;
    await expect.poll(ask).toEqual(Buffer.from('/new/Call'));
    expect(manager.stats.connectionsTotal).toBe(2);
    release();
    expect((await held).response?.toString()).toBe('/held/Call');
  });
});
