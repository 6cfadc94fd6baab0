import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { requestOf } from './data-path.js';

/**
 * Callers by the thousand, as cheap as they can be: bare sockets that speak the little HTTP/2 there is in a
 * connection that is idle, or holds one KeepAlive stream. (RFC 9113 §4.1, RFC 7541 §6.2.2)
 */
export interface CrowdMember {
  /** Opens the connection's KeepAlive stream. */
  open(authority: string): void;
  /** So many at once: they come as they were sent, and not with a busy machine between them. */
  beat(times: number): void;
  readonly closed: boolean;
  close(): void;
}

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const PATH = '/manager.v2.Manager/KeepAlive';
const HEADER_BYTES = 9;
const TYPE = { data: 0, headers: 1, settings: 4, ping: 6 } as const;
const ACK = 1;
const END_HEADERS = 4;

async function joinCrowd(address: string, number: number): Promise<CrowdMember> {
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const member = new Member(socket, number);
  socket.write(Buffer.concat([Buffer.from(PREFACE), frame(TYPE.settings, 0, 0, Buffer.alloc(0))]));
  return member;
}

/** `count` members, a few at a time. */
export async function crowd(address: string, count: number): Promise<CrowdMember[]> {
  const members: CrowdMember[] = [];
  while (members.length < count) {
    const batch = Math.min(100, count - members.length);
    members.push(
      ...(await Promise.all(Array.from({ length: batch }, (_, n) => joinCrowd(address, members.length + n)))),
    );
  }
  return members;
}

/** Each in turn, for ever. */
export function* inTurn<T>(members: readonly T[]): Generator<T, never> {
  for (;;) yield* members;
}

/** Whose turn it is beats, so often in a row, `beatsPerSecond` in all; resolves when `beats` have been sent. */
export async function beatInTurn(
  turns: Generator<CrowdMember, never>,
  { beats, beatsPerSecond, inARow }: { beats: number; beatsPerSecond: number; inARow: number },
): Promise<void> {
  const fromMs = performance.now();
  for (let sent = 0; sent < beats; ) {
    const due = Math.min(beats, ((performance.now() - fromMs) / 1_000) * beatsPerSecond);
    for (; sent < due; sent += inARow) turns.next().value.beat(inARow);
    await wait(5);
  }
}

class Member implements CrowdMember {
  readonly #socket: Socket;
  readonly #beat: Buffer;
  #unread: Buffer = Buffer.alloc(0);
  closed = false;

  constructor(socket: Socket, number: number) {
    this.#socket = socket;
    const message = requestOf(PATH, crowdNode(number));
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    this.#beat = frame(TYPE.data, 0, 1, Buffer.concat([prefix, message]));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  open(authority: string): void {
    const block = Buffer.concat([
      // :method POST, :scheme http, :path, :authority, content-type, te: the static table's numbers.
      Buffer.from([0x83, 0x86]),
      indexed([0x04], PATH),
      indexed([0x01], authority),
      indexed([0x0f, 0x10], 'application/grpc'),
      Buffer.from([0x00, 2]),
      Buffer.from('te'),
      text('trailers'),
    ]);
    this.#socket.write(frame(TYPE.headers, END_HEADERS, 1, block));
  }

  beat(times: number): void {
    this.#socket.write(Buffer.concat(Array.from({ length: times }, () => this.#beat)));
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    let rest = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    while (rest.length >= HEADER_BYTES) {
      const endsAt = HEADER_BYTES + rest.readUIntBE(0, 3);
      if (rest.length < endsAt) break;
      this.#answer(rest.subarray(0, endsAt));
      rest = rest.subarray(endsAt);
    }
    this.#unread = rest;
  }

  #answer(received: Buffer): void {
    const [type, flags] = [received[3], received[4] ?? 0];
    if ((flags & ACK) !== 0) return;
    if (type === TYPE.settings) this.#socket.write(frame(TYPE.settings, ACK, 0, Buffer.alloc(0)));
    if (type === TYPE.ping) this.#socket.write(frame(TYPE.ping, ACK, 0, received.subarray(HEADER_BYTES)));
  }
}

/** The node that a member stands for; the manager must have its row. */
function crowdNode(number: number): Record<string, unknown> {
  return {
    source_type: 'SCHEDULER_SOURCE',
    hostname: `scheduler-${number}`,
    // As the simulated manager names the schedulers it makes.
    ip: `127.${((number + 1) >> 16) & 255}.${((number + 1) >> 8) & 255}.${(number + 1) & 255}`,
    cluster_id: 1,
  };
}

function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

/** A literal header field without indexing, its name from the static table. */
function indexed(name: readonly number[], value: string): Buffer {
  return Buffer.concat([Buffer.from(name), text(value)]);
}

/** Shorter than 127 bytes, not Huffman-coded. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
}
