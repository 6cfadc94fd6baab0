import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { rawPeer } from '../downstream/raw-peer.js';
import { framed } from '../support/framed.js';
import { type CuttingRelay, startCuttingRelay } from '../support/fuzz/cutting-relay.js';
import { mutated, mutatedText } from '../support/fuzz/mutations.js';
import { MESSAGES, REQUESTS, type RecordedMessage } from '../support/fuzz/recorded-messages.js';
import { type Draw, LIMIT_MS, MANY, rounds } from '../support/fuzz/rounds.js';
import { closedByPeer, connectBare } from '../support/promises-attacked.js';
import { attacked, underAttack } from '../support/promises-under-attack.js';
import { connectWire, type WireOutcome } from '../support/promises-wire.js';

const AT_ONCE = 20;
const CONNECTIONS_AT_ONCE = 300;
const FUZZED = 'x-fuzz';
const CODE = /^(\d|1[0-6])$/;
/** See bad-input.test.ts: what node:http2 does not notice, the ping does. */
const SOON = ['server.ping={ interval: 2s, timeout: 3s }', 'server.limits.resetsPerSecond=0'];

/** Compressed or not, the flag the truth or a lie; broken inside, or as a whole. */
function bodyOf(draw: Draw, bytes: Buffer): { body: Buffer; headers: Record<string, string> } {
  const message = draw.below(3) === 0 ? bytes : mutated(draw, bytes, MESSAGES);
  const encoding = draw.oneOf(['identity', 'identity', 'gzip', 'deflate']);
  const packed =
    encoding === 'gzip' ? gzipSync(message) : encoding === 'deflate' ? deflateSync(message) : message;
  const whole = framed(draw.below(4) === 0 ? mutatedText(draw, packed, MESSAGES) : packed);
  whole[0] = draw.below(8) === 0 ? draw.below(256) : Number(encoding !== 'identity');
  const body = draw.below(4) === 0 ? mutatedText(draw, whole, MESSAGES) : whole;
  return { body, headers: { 'grpc-encoding': encoding, [FUZZED]: String(draw.below(2 ** 31)) } };
}

describe('mutated calls', () => {
  underAttack(SOON);
  const { count, each } = rounds('calls with mutated bodies', 600, 0.02);

  it(
    `${count} with bodies that are not what they were all end with a status, while others are answered`,
    async () => {
      let caller = await connectWire({ address: attacked().address, certificates: undefined });
      let waiting: Promise<WireOutcome>[] = [];
      const codes = new Map<string, number>();
      const drained = async (): Promise<void> => {
        for (const { code } of await Promise.all(waiting)) {
          expect(code).toMatch(CODE);
          codes.set(code ?? '', (codes.get(code ?? '') ?? 0) + 1);
        }
        waiting = [];
      };
      await each(async (draw, n) => {
        const { path, bytes } = draw.oneOf(REQUESTS);
        const { body, headers } = bodyOf(draw, bytes);
        const call = caller.open(path, headers);
        const cut = draw.below(body.length + 1);
        call.sendBytes(body.subarray(0, cut));
        call.sendBytes(body.subarray(cut));
        call.halfClose();
        waiting.push(call.outcome);
        if (n % AT_ONCE === AT_ONCE - 1) await drained();
        if (n % 500 !== 499) return;
        await caller.close();
        caller = await connectWire({ address: attacked().address, certificates: undefined });
      });
      await drained();
      await caller.close();
      if (count > 500) for (const code of ['0', '13']) expect(codes.get(code)).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );
});

describe('mutated connections', () => {
  underAttack(SOON);
  const thrown = rounds('mutated connections', 300, 0.005);

  it(
    `${thrown.count} connections whose very bytes are not what they were end in a close`,
    async () => {
      let waiting: Promise<void>[] = [];
      await thrown.each(async (draw, n) => {
        const calls = [1, 3].flatMap((stream) => {
          const { path, bytes } = draw.oneOf(REQUESTS);
          return [
            rawPeer.headers(stream, { ':path': path }),
            rawPeer.data(stream, framed(bytes)),
            rawPeer.halfClose(stream),
          ];
        });
        const wire = Buffer.concat([rawPeer.hello, ...calls]);
        // Mostly behind the preface: without it, it is no HTTP/2.
        const from = draw.below(8) === 0 ? 0 : 24;
        waiting.push(
          thrownAt(Buffer.concat([wire.subarray(0, from), mutatedText(draw, wire.subarray(from), [wire])])),
        );
        // Some are found by the ping alone: for those all wait together.
        if (n % CONNECTIONS_AT_ONCE !== CONNECTIONS_AT_ONCE - 1) return;
        await Promise.all(waiting);
        waiting = [];
      });
      await Promise.all(waiting);
    },
    LIMIT_MS,
  );
});

/** Sends it on a connection of its own, half-closes it, and waits until the other side has closed it, too. */
async function thrownAt(bytes: Buffer): Promise<void> {
  const socket = await connectBare(attacked().port);
  const closed = closedByPeer(socket);
  socket.end(bytes);
  await closed;
  socket.destroy();
}

describe(`a call whose connection arrives in two parts, cut at every ${MANY ? '' : 'third '}byte`, () => {
  underAttack([]);

  it.each(someOf(REQUESTS, MANY ? 12 : 2))(
    'is answered as it is in one: $path',
    async ({ path, bytes }) => {
      const relay = await startCuttingRelay(attacked().address);
      const whole = await callThrough(relay, path, bytes);
      const length = relay.sentBytes;
      expect([whole.code, length > 100]).toEqual(['0', true]);
      for (let cut = 1; cut < length; cut += MANY ? 1 : 3) {
        relay.cutAfter(cut);
        expect({ cut, ...(await callThrough(relay, path, bytes)) }).toMatchObject({
          cut,
          ...whole,
          trailers: expect.anything(),
        });
      }
      await relay.stop();
    },
    LIMIT_MS,
  );
});

/** Spread over all of them. */
function someOf(all: readonly RecordedMessage[], count: number): RecordedMessage[] {
  const paths = [...new Map(all.map((one) => [one.path, one])).values()].filter(
    ({ path }) => !/Health|KeepAlive/.test(path),
  );
  return Array.from(
    { length: count },
    (_, n) => paths[Math.floor((n * paths.length) / count)] as RecordedMessage,
  );
}

async function callThrough(relay: CuttingRelay, path: string, bytes: Buffer): Promise<WireOutcome> {
  const caller = await connectWire({ address: relay.address, certificates: undefined });
  const call = caller.open(path);
  call.sendBytes(framed(bytes));
  call.halfClose();
  const outcome = await call.outcome;
  await caller.close();
  return outcome;
}
