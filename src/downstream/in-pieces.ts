import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Reading } from './reading.js';
import type { Turns } from './turns.js';

/** About twenty calls; what comes at once is 64 KiB otherwise, 400 calls, each of which is made and taken down before anybody else is served. */
const PIECE_BYTES = 4 * 1024;

/**
 * A socket of which a piece is read in each turn of the event loop: for connections that come from where one has just been cut off. It costs
 * more per byte than what node:http2 does by itself, and a flood on it is found before it has cost anything.
 */
export class InPieces extends Duplex implements Reading {
  readonly #socket: Socket;
  readonly #turns: Turns;
  #trusted = false;
  /** The session would take more. */
  #wanted = false;
  #stopped = false;

  constructor(socket: Socket, turns: Turns) {
    super();
    this.#socket = socket;
    this.#turns = turns;
    // As node:http2 does with a socket of its own. Half an answer would wait 40 ms for the peer's acknowledgement of the other half, …
    socket.setNoDelay();
    // … and RFC 9113 §9.2.1 forbids this with TLS 1.2.
    if (socket instanceof TLSSocket) socket.disableRenegotiation();
    socket.on('readable', this.#offer);
    // Its end is not handed on: node:http2 would end its side, too, and aborts the process if it writes before that is done.
    socket.once('end', () => this.destroy());
    socket.once('close', () => this.destroy());
  }

  /** From now on it is read like any other. */
  trust(): void {
    this.#trusted = true;
  }

  stop(): void {
    this.#stopped = true;
  }

  start(): boolean {
    // As with a socket that node:http2 reads itself: while the peer takes nothing, nothing is taken from it.
    if (this.#socket.writableLength > 0) return false;
    this.#stopped = false;
    this.#offer();
    return true;
  }

  override _read(): void {
    this.#wanted = true;
    this.#offer();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    // Its end tells of its errors.
    this.#socket.write(chunk, () => done());
  }

  override _writev(all: { chunk: Buffer }[], done: () => void): void {
    this.#socket.cork();
    for (const { chunk } of all.slice(0, -1)) this.#socket.write(chunk);
    this.#socket.write(all.at(-1)?.chunk ?? '', () => done());
    this.#socket.uncork();
  }

  override _final(done: () => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.off('readable', this.#offer);
    this.#socket.destroy();
    done(error);
  }

  readonly #offer = (): void => {
    if (!this.#wanted || this.#stopped) return;
    if (this.#trusted) this.#take();
    else this.#turns.wait(this.#inTurn);
  };

  /** One thing that waits, however often it is told to. */
  readonly #inTurn = { work: (): boolean => this.#take() };

  #take(): false {
    if (!this.#wanted || this.#stopped || this.destroyed) return false;
    const there = this.#socket.readableLength;
    // With nothing there it asks for more, and tells of the end.
    const whole = this.#trusted || there <= PIECE_BYTES;
    const piece = (whole ? this.#socket.read() : this.#socket.read(PIECE_BYTES)) as Buffer | null;
    if (piece === null) return false;
    this.#wanted = false;
    this.push(piece);
    return false;
  }
}
