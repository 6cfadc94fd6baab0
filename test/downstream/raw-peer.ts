import type { Socket } from 'node:net';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const TYPE = { data: 0, headers: 1, rstStream: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 } as const;
const END_STREAM = 1;
const END_HEADERS = 4;
const INITIAL_WINDOW_SIZE = 4;
const LARGEST_WINDOW = 2 ** 31 - 1;

/**
 * HTTP/2 frames by hand, for what no well-behaved client does. (Those of Node half-close before they reset a stream,
 * so that a bare reset, as it comes from Go or Rust, cannot be had from them.)
 */
export const rawPeer = {
  hello: Buffer.concat([PREFACE, frame(TYPE.settings, 0, 0, Buffer.alloc(0))]),

  /** Hello of a peer that takes 2 GiB unasked. */
  greedyHello(): Buffer {
    const setting = Buffer.alloc(6);
    setting.writeUInt16BE(INITIAL_WINDOW_SIZE, 0);
    setting.writeUInt32BE(LARGEST_WINDOW, 2);
    const update = Buffer.alloc(4);
    update.writeUInt32BE(LARGEST_WINDOW - 65_535, 0);
    return Buffer.concat([
      PREFACE,
      frame(TYPE.settings, 0, 0, setting),
      frame(TYPE.windowUpdate, 0, 0, update),
    ]);
  },

  headers(stream: number, headers: Readonly<Record<string, string>> = {}): Buffer {
    const all = {
      ':method': 'POST',
      ':scheme': 'http',
      ':authority': 'gateway',
      ':path': '/s/m',
      'content-type': 'application/grpc',
      ...headers,
    };
    const block = Object.entries(all).map(([name, value]) =>
      Buffer.concat([Buffer.from([0]), text(name), text(value)]),
    );
    return frame(TYPE.headers, END_HEADERS, stream, Buffer.concat(block));
  },

  data(stream: number, payload: Buffer): Buffer {
    return frame(TYPE.data, 0, stream, payload);
  },

  halfClose(stream: number): Buffer {
    return frame(TYPE.data, END_STREAM, stream, Buffer.alloc(0));
  },

  ping(): Buffer {
    return frame(TYPE.ping, 0, 0, Buffer.alloc(8));
  },

  windowUpdate(): Buffer {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(1);
    return frame(TYPE.windowUpdate, 0, 0, payload);
  },

  settings(): Buffer {
    return frame(TYPE.settings, 0, 0, Buffer.alloc(0));
  },

  goaway(code: number): Buffer {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(code, 4);
    return frame(TYPE.goaway, 0, 0, payload);
  },

  reset(stream: number, code: number): Buffer {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(code, 0);
    return frame(TYPE.rstStream, 0, stream, payload);
  },

  send(socket: Socket, ...frames: readonly Buffer[]): void {
    socket.write(Buffer.concat(frames));
  },
};

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A string of HPACK without Huffman coding, up to 126 bytes. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
}
