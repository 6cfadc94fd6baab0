import { connect, constants, type OutgoingHttpHeaders } from 'node:http2';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/simulator/manager/random.js';
import { rawPeer } from '../downstream/raw-peer.js';
import { framed } from '../support/framed.js';
import { closedByPeer, connectBare } from '../support/promises-attacked.js';
import { listSchedulersOf, PATHS } from '../support/promises-messages.js';
import { attacked, underAttack } from '../support/promises-under-attack.js';
import { connectWire, type Headers, type WireOutcome } from '../support/promises-wire.js';

const MIB = 1024 * 1024;
const ALL_PATHS = [
  PATHS.list,
  PATHS.updateScheduler,
  PATHS.keepAlive,
  PATHS.unknownService,
  PATHS.unknownMethod,
];
const [OK, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL] = ['0', '8', '12', '13'] as const;

/** Two hundred: test/hard/numbers. */
const ROUNDS = Number(process.env.ROUNDS ?? 60);

const random = seededRandom(20_260_401);
const below = (limit: number): number => Math.floor(random() * limit);
const randomBytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256)));
const anyPath = (): string => ALL_PATHS[below(ALL_PATHS.length)] as string;

/** Sends `body` as it is, half-closes, and reports. */
async function post(body: Buffer, headers: Headers = {}, path = anyPath()): Promise<WireOutcome> {
  const caller = await connectWire({ address: attacked().address, certificates: undefined });
  try {
    const call = caller.open(path, headers);
    call.sendBytes(body);
    call.halfClose();
    return await call.outcome;
  } finally {
    await caller.close();
  }
}

/**
 * node:http2 says GOAWAY after some violations and then neither closes the connection nor notices that its peer has
 * gone. The ping finds those; here it does so sooner than it would by default.
 */
const SOON = ['server.ping={ interval: 2s, timeout: 3s }'];

describe('random bytes', () => {
  underAttack(SOON);

  it('as a whole connection end that connection', async () => {
    await Promise.all(Array.from({ length: ROUNDS }, () => thrownAt([randomBytes(24 + below(4_000))])));
  });

  it('as frames, behind a preface as it should be, end in a close', async () => {
    const frames = () => Array.from({ length: 1 + below(8) }, () => randomFrame());
    await Promise.all(Array.from({ length: ROUNDS }, () => thrownAt([rawPeer.hello, ...frames()])));
  });

  it('as frames of a call that has begun end in a close', async () => {
    const begun = () => [rawPeer.hello, rawPeer.headers(1, { ':path': anyPath() })];
    const frames = () => Array.from({ length: 1 + below(8) }, () => randomFrame(1));
    await Promise.all(Array.from({ length: ROUNDS }, () => thrownAt([...begun(), ...frames()])));
  });

  it('in place of framed messages are INTERNAL or too large, or happen to be none', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const body = randomBytes(1 + below(2_000));
      // Most flags are wrong; in every other round the length is what is tried.
      if (round % 2 === 0) body[0] = 0;
      const outcome = await post(body);
      expect([INTERNAL, RESOURCE_EXHAUSTED]).toContain(outcome.code);
      expect(outcome.message).not.toBe('');
    }
  });

  it('in framed messages are the manager’s to judge', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      expect(await post(framed(randomBytes(below(2_000))))).toMatchObject({ code: OK });
    }
  });

  it('as metadata are refused in words, or pass where gRPC allows them', async () => {
    const codes = new Set<string | undefined>();
    for (let round = 0; round < ROUNDS; round++) {
      const key = round % 2 === 0 ? 'x-random' : 'x-random-bin';
      const outcome = await postWithBytes(key, randomBytes(1 + below(200)));
      codes.add(outcome);
    }
    expect([...codes].filter((code) => code !== OK && code !== INTERNAL && code !== 'reset')).toEqual([]);
    expect(codes).toContain(INTERNAL);
  });

  it('as a timeout or an encoding are refused in words', async () => {
    for (let round = 0; round < ROUNDS / 4; round++) {
      const text = randomBytes(1 + below(20)).toString('hex');
      const late = await post(framed(Buffer.from('x')), { 'grpc-timeout': `${text}x` });
      expect(late).toMatchObject({ code: INTERNAL, message: expect.stringContaining('grpc-timeout') });
      const packed = await post(framed(Buffer.from('x')), { 'grpc-encoding': text });
      expect(packed).toMatchObject({
        code: UNIMPLEMENTED,
        message: expect.stringContaining('grpc-encoding'),
      });
    }
  });
});

describe('what is too much', () => {
  underAttack(['server.maxMetadataBytes=8192']);

  it('twenty gzip bombs of 256 MiB are refused while they are unpacked', async () => {
    const peakBefore = attacked().peakBytes();
    const bomb = await promisify(gzip)(Buffer.alloc(256 * MIB));
    const prefix = Buffer.from([1, 0, 0, 0, 0]);
    prefix.writeUInt32BE(bomb.length, 1);
    const headers = { 'grpc-encoding': 'gzip' };
    const thrown = ALL_PATHS.flatMap((path) =>
      [1, 2, 3, 4].map(() => post(Buffer.concat([prefix, bomb]), headers, path)),
    );
    for (const outcome of await Promise.all(thrown)) {
      expect(outcome).toMatchObject({
        code: RESOURCE_EXHAUSTED,
        message: expect.stringContaining('4194304 are allowed'),
      });
    }
    // Not one of them was ever unpacked whole.
    expect(attacked().peakBytes() - peakBefore).toBeLessThan(256 * MIB);
  });

  it.each(ALL_PATHS)('a message over the limit is refused: %s', async (path) => {
    const outcome = await post(framed(Buffer.alloc(5 * MIB)), {}, path);
    expect(outcome).toMatchObject({
      code: RESOURCE_EXHAUSTED,
      message: expect.stringContaining('5242880 bytes'),
    });
  });

  it('a promise of 4 GiB is refused before they have come', async () => {
    const outcome = await post(Buffer.from([0, 255, 255, 255, 255]));
    expect(outcome).toMatchObject({
      code: RESOURCE_EXHAUSTED,
      message: expect.stringContaining('4294967295 bytes'),
    });
  });

  it('metadata over the limit are refused in words', async () => {
    const outcome = await post(framed(Buffer.from('x')), { 'x-large': 'x'.repeat(20_000) });
    expect(outcome).toMatchObject({
      code: RESOURCE_EXHAUSTED,
      message: expect.stringContaining('8192 are allowed'),
    });
  });

  it('metadata far over the limit are refused without words', async () => {
    const caller = await connectWire({ address: attacked().address, certificates: undefined });
    // The limit of HTTP/2 itself holds once its SETTINGS are acknowledged.
    const fine = caller.open(PATHS.unknownService);
    fine.halfClose();
    expect(await fine.outcome).toMatchObject({ code: OK });
    const call = caller.open(PATHS.unknownService, { 'x-a': 'x'.repeat(25_000), 'x-b': 'x'.repeat(25_000) });
    call.halfClose();
    expect(await call.outcome).toMatchObject({ code: undefined, reset: constants.NGHTTP2_ENHANCE_YOUR_CALM });
    await caller.close();
  });
});

describe('what is no gRPC', () => {
  underAttack([]);

  it.each([
    ['another content-type', { 'content-type': 'application/json' }, 415],
    ['gRPC-Web', { 'content-type': 'application/grpc-web+proto' }, 415],
    ['another method', { ':method': 'PUT' }, 405],
  ])('%s is answered as HTTP, and in gRPC’s words', async (_name, headers, httpStatus) => {
    const outcome = await post(framed(Buffer.from('x')), headers as Headers);
    expect(outcome).toMatchObject({ httpStatus, code: INTERNAL });
    expect(outcome.message).not.toBe('');
  });

  it('a message that ends too early is INTERNAL', async () => {
    for (const path of ALL_PATHS) {
      const outcome = await post(framed(listSchedulersOf('cut-off')).subarray(0, 9), {}, path);
      expect(outcome).toMatchObject({
        code: INTERNAL,
        message: expect.stringContaining('ended inside a message'),
      });
    }
  });
});

/** Sends these on a connection of its own, half-closes it, and waits until the other side has closed it, too. */
async function thrownAt(pieces: readonly Buffer[]): Promise<void> {
  const socket = await connectBare(attacked().port);
  const closed = closedByPeer(socket);
  for (const piece of pieces) socket.write(piece);
  socket.end();
  await closed;
  socket.destroy();
}

/** A frame whose length is right and nothing else. */
function randomFrame(stream = below(8)): Buffer {
  const payload = randomBytes(below(200));
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = below(12);
  head[4] = below(256);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Node's client refuses some bytes itself; what it lets out is what is tried. Resolves with the code, or `reset`. */
async function postWithBytes(key: string, bytes: Buffer): Promise<string | undefined> {
  const session = connect(`http://${attacked().address}`);
  session.on('error', () => undefined);
  try {
    return await new Promise((resolve) => {
      const headers: OutgoingHttpHeaders = {
        ':method': 'POST',
        ':path': anyPath(),
        'content-type': 'application/grpc',
        te: 'trailers',
        [key]: bytes.toString('latin1'),
      };
      const stream = session.request(headers);
      let code: string | undefined;
      stream.on('response', (received) => {
        code ??= received['grpc-status']?.toString();
      });
      stream.on('trailers', (received) => {
        code ??= received['grpc-status']?.toString();
      });
      stream.on('error', () => undefined);
      stream.on('close', () => resolve(code ?? 'reset'));
      stream.resume();
      stream.end(framed(listSchedulersOf('random')));
    });
  } finally {
    session.destroy();
  }
}
