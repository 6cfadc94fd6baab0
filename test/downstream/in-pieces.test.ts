import { once } from 'node:events';
import net from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { InPieces } from '../../src/downstream/in-pieces.js';
import { Turns } from '../../src/downstream/turns.js';
import { until } from '../support/until.js';

const PIECE_BYTES = 4 * 1024;
const SENT = Buffer.from(Array.from({ length: 3 * PIECE_BYTES + 100 }, (_, at) => at % 251));

/** A socket read in pieces, its peer, and turns that come when the test says so. */
async function started() {
  const scheduled: (() => void)[] = [];
  const turns = new Turns({ nowMs: () => 0, schedule: (next) => scheduled.push(next) });
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const peer = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  const [socket] = await accepted;
  peer.on('error', () => {});
  onTestFinished(() => {
    peer.destroy();
    socket.destroy();
    server.close();
  });
  const noDelay = vi.spyOn(socket, 'setNoDelay');
  const pieces = new InPieces(socket, turns);
  const received: Buffer[] = [];
  const turn = (): boolean => {
    const next = scheduled.shift();
    next?.();
    return next !== undefined;
  };
  const sendAll = async (): Promise<void> => {
    peer.write(SENT);
    await until('all has come', () => socket.readableLength === SENT.length);
  };
  return { peer, socket, noDelay, pieces, received, turn, sendAll };
}

it('hands on a piece in a turn, each byte in its place', async () => {
  const { pieces, received, turn, sendAll } = await started();
  await sendAll();
  pieces.on('data', (piece: Buffer) => received.push(piece));
  await until('all has been handed on', () => {
    const before = received.length;
    turn();
    expect(received.length - before).toBeLessThanOrEqual(1);
    return Buffer.concat(received).length === SENT.length;
  });
  expect(received.map(({ length }) => length)).toEqual([PIECE_BYTES, PIECE_BYTES, PIECE_BYTES, 100]);
  expect(Buffer.concat(received)).toEqual(SENT);
});

it('hands on whatever has come, in no turn, once it is trusted', async () => {
  const { pieces, received, sendAll } = await started();
  await sendAll();
  pieces.trust();
  pieces.on('data', (piece: Buffer) => received.push(piece));
  await until('all has been handed on', () => Buffer.concat(received).length === SENT.length);
  expect(received).toHaveLength(1);
});

it('hands on nothing while it is stopped, and goes on where it was', async () => {
  const { pieces, received, turn, sendAll } = await started();
  await sendAll();
  pieces.on('data', (piece: Buffer) => received.push(piece));
  await until('a piece has come', () => turn() && received.length === 1);
  pieces.stop();
  for (let times = 0; times < 5; times++) {
    await new Promise(setImmediate);
    turn();
  }
  expect(received).toHaveLength(1);
  expect(pieces.start()).toBe(true);
  await until('the rest has come', () => {
    turn();
    return Buffer.concat(received).length === SENT.length;
  });
  expect(Buffer.concat(received)).toEqual(SENT);
});

it('does not go on while its peer takes nothing', async () => {
  const { pieces, peer, socket } = await started();
  peer.pause();
  pieces.stop();
  while (socket.writableLength === 0) {
    pieces.write(Buffer.alloc(1024 * 1024));
    await new Promise(setImmediate);
  }
  expect(pieces.start()).toBe(false);
  peer.resume();
  await until('it has taken all', () => socket.writableLength === 0);
  expect(pieces.start()).toBe(true);
});

it('goes with its peer, without a word of the end', async () => {
  const { pieces, peer, socket, received, turn } = await started();
  pieces.on('data', (piece: Buffer) => received.push(piece));
  let ended = false;
  pieces.once('end', () => {
    ended = true;
  });
  const gone = once(pieces, 'close');
  peer.end('last words');
  await until('it has gone', () => {
    turn();
    return socket.destroyed;
  });
  await gone;
  expect([String(Buffer.concat(received)), ended]).toEqual(['last words', false]);
});

it('goes when its socket does', async () => {
  const { pieces, socket } = await started();
  const gone = once(pieces, 'close');
  socket.destroy();
  await gone;
  expect(pieces.destroyed).toBe(true);
});

it('has no half of an answer wait until the peer has acknowledged the other', async () => {
  const { noDelay } = await started();
  expect(noDelay).toHaveBeenCalledWith();
});

it('writes in order, and ends when it is ended', async () => {
  const { pieces, peer } = await started();
  const got: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => got.push(chunk));
  const gone = once(peer, 'close');
  pieces.cork();
  for (const part of [SENT.subarray(0, 10), SENT.subarray(10, 5_000), SENT.subarray(5_000)])
    pieces.write(part);
  pieces.uncork();
  pieces.end();
  await gone;
  expect(Buffer.concat(got)).toEqual(SENT);
});
