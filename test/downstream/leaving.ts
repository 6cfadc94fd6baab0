import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Call, Departure } from '../../src/rpc/call.js';
import { framed } from '../support/framed.js';
import { tcp } from './harness.js';
import { rawPeer } from './raw-peer.js';

const GOAWAY = 7;

/** How it has left, once it has. */
export async function departureOf(call: Call): Promise<Departure | undefined> {
  const { signal } = call;
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  return call.departure;
}

export const beat = (stream: number) => rawPeer.data(stream, framed(Buffer.from('beat')));

/** A stream that stays open, of a peer that the test drives by hand, and whose beats somebody reads as they come. */
export async function openCall(port: number, next: () => Promise<Call>, headers = {}, connect = tcp) {
  const socket = await connect(port);
  socket.resume();
  rawPeer.send(socket, rawPeer.hello, rawPeer.headers(1, headers), beat(1));
  const incoming = await next();
  void readOn(incoming);
  return { incoming, socket, send: (...frames: Buffer[]) => rawPeer.send(socket, ...frames) };
}

async function readOn(incoming: Call): Promise<void> {
  try {
    for (let message = await incoming.read(); message; ) message = await incoming.read();
  } catch {
    // It has left, which is what these tests are about.
  }
}

function pem(name: string): Buffer {
  return readFileSync(new URL(`pem/${name}.pem`, import.meta.url));
}

/** Of a listener. */
export const TLS = {
  caCert: '',
  cert: String(pem('server')),
  key: String(pem('server-key')),
  clientAuth: 'none',
} as const;

export async function overTls(port: number): Promise<Socket> {
  const options = { host: '127.0.0.1', servername: 'localhost', ca: pem('ca'), ALPNProtocols: ['h2'] };
  const socket = tls.connect({ ...options, port });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  return socket;
}

/** Resolves when the gateway has said GOAWAY. */
export function goawayOn(socket: Socket): Promise<void> {
  let received = Buffer.alloc(0);
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (typesOf(received).includes(GOAWAY)) resolve();
    });
  });
}

function typesOf(frames: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 9 <= frames.length; at += 9 + frames.readUIntBE(at, 3)) {
    types.push(frames[at + 3] as number);
  }
  return types;
}
