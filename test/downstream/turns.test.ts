import { describe, expect, it } from 'vitest';
import { Share } from '../../src/downstream/share.js';
import { Turns } from '../../src/downstream/turns.js';
import { framed } from '../support/framed.js';
import { ManualClock } from '../support/manual-clock.js';
import { closed, echo, http2Client, request, startDownstream, tcp } from './harness.js';
import { rawPeer } from './raw-peer.js';

/** Turns that come when the test says so, each as long as it says. */
function startTurns() {
  const clock = new ManualClock();
  const due: (() => void)[] = [];
  const turns = new Turns({ nowMs: () => clock.nowMs(), schedule: (next) => due.push(next) });
  const turn = (tookMs = 4): void => {
    clock.advance(tookMs);
    due.shift()?.();
  };
  return { clock, turns, turn, due };
}

/** A connection of which `count` calls wait, and what became of them. */
function startShare(
  { clock, turns }: Pick<ReturnType<typeof startTurns>, 'clock' | 'turns'>,
  afterCut = false,
) {
  const begun: string[] = [];
  const reading = { reads: true, mayRead: true, refused: 0 };
  const share = new Share({
    turns,
    clock,
    afterCut,
    reading: {
      stop: () => {
        reading.reads = false;
      },
      start() {
        if (!reading.mayRead) reading.refused += 1;
        reading.reads = reading.mayRead;
        return reading.mayRead;
      },
    },
  });
  const call = (name: string, wanted = true): void => {
    if (share.take()) begun.push(name);
    else share.later(() => (wanted ? begun.push(name) > 0 : false));
  };
  return { share, begun, reading, call };
}

describe('a turn of the event loop', () => {
  it('begins a few calls of one connection, and the others in later turns, in order', () => {
    const world = startTurns();
    const { share, begun, call } = startShare(world);
    for (const name of 'abcdefghijklmnopqrs') call(name);
    expect(begun.join('')).toBe('abcdefghijklmnop');
    expect(share.waiting).toBe(3);
    world.turn();
    expect(begun.join('')).toBe('abcdefghijklmnopqrs');
    call('t');
    expect(begun.join('')).toBe('abcdefghijklmnopqrst');
  });

  it('ends when what it serves has taken long, however many could have been served', () => {
    const { clock, turns, turn } = startTurns();
    let served = 0;
    const work = (): false => {
      served += 1;
      clock.advance(2);
      return false;
    };
    for (let one = 0; one < 20; one++) turns.wait({ work: () => work() });
    turn();
    expect(served).toBe(4);
    turn(0);
    expect(served).toBe(8);
  });

  it('serves those who wait one after the other, whoever waits for more', () => {
    const world = startTurns();
    const order: string[] = [];
    const [greedy, modest] = ['g', 'm'].map((name) => {
      let left = name === 'g' ? 5 : 2;
      return { work: () => order.push(name) > 0 && --left > 0 };
    });
    for (const one of [greedy, modest]) if (one) world.turns.wait(one);
    world.turn();
    expect(order.join('')).toBe('gmgmggg');
  });

  it('does less of what can wait when turns are long, and more when they are short', () => {
    const world = startTurns();
    let done = 0;
    world.turns.wait({ work: () => ++done > 0 });
    const inTurn = (tookMs: number): number => {
      const before = done;
      world.turn(tookMs);
      return done - before;
    };
    expect([100, 100, 100, 100, 100, 100, 100].map(inTurn)).toEqual([16, 8, 4, 2, 1, 1, 1]);
    expect([5, 1, 1, 1].map(inTurn)).toEqual([1, 2, 4, 8]);
  });

  it('does one thing of those that are to be done alone, whether or not others wait', () => {
    const world = startTurns();
    const done: string[] = [];
    for (const name of 'abc') world.turns.alone(() => done.push(name));
    world.turns.wait({ work: () => done.push('w') > 9 });
    const inTurn = (): string => {
      world.turn();
      return done.splice(0).join('');
    };
    expect([inTurn(), inTurn(), inTurn(), world.due.length]).toEqual(['aw', 'b', 'c', 0]);
  });

  it('is asked for only while something is there', () => {
    const world = startTurns();
    const { call } = startShare(world);
    call('a');
    expect(world.due.length).toBe(1);
    world.turn();
    expect(world.due.length).toBe(0);
  });

  it('drops calls that have gone for nothing', () => {
    const world = startTurns();
    const { share, begun, call } = startShare(world);
    for (let at = 0; at < 16; at++) call('x');
    for (let at = 0; at < 100; at++) call('gone', false);
    call('y');
    // One piece of work, if turns are so long that there is only one.
    for (let at = 0; at < 8 && share.waiting > 0; at++) world.turn(100);
    expect(begun.join('')).toBe(`${'x'.repeat(16)}y`);
  });
});

describe('a connection that sends too much for one turn', () => {
  it('is read no further until what waits has begun', () => {
    const world = startTurns();
    const { reading, begun, call } = startShare(world);
    for (let at = 0; at < 129; at++) call('x');
    expect(reading.reads).toBe(false);
    for (let at = 0; at < 20 && begun.length < 129; at++) {
      expect(reading.reads).toBe(false);
      world.turn();
    }
    world.turn();
    expect([begun.length, reading.reads]).toEqual([129, true]);
  });

  it('waits, without turns being spent on it, while its peer takes nothing', () => {
    const world = startTurns();
    const { share, reading } = startShare(world);
    for (let at = 0; at < 129; at++) share.frame();
    reading.mayRead = false;
    world.turn();
    world.turn();
    expect([reading.refused, world.due.length]).toEqual([1, 0]);
    reading.mayRead = true;
    world.clock.advance(20);
    world.turn();
    expect(reading.reads).toBe(true);
  });

  it('is forgotten with what waits, and never read again, when it has ended', () => {
    const world = startTurns();
    const { share, reading, begun, call } = startShare(world);
    for (let at = 0; at < 200; at++) call('x');
    share.end();
    call('late');
    world.turn();
    expect([begun.length, share.waiting, reading.reads]).toEqual([16, 0, false]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('gets an answer to each call all the same', async () => {
    const { port } = await startDownstream();
    const client = http2Client(port);
    const answers = await Promise.all(
      Array.from({ length: 250 }, (_, index) => request(client, {}, framed(Buffer.from(`${index}`)))),
    );
    expect(answers.map(({ trailers }) => trailers['grpc-status'])).toEqual(answers.map(() => '0'));
  });

  it('gets an answer to each call, though those without a message have ended before they are begun', async () => {
    const { port } = await startDownstream();
    const client = http2Client(port);
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => request(client, {}, Buffer.alloc(0))),
    );
    expect(answers.map(({ headers }) => headers['grpc-status'])).toEqual(answers.map(() => '0'));
  });

  it('has the handler trouble itself with few of the calls that it takes back at once', async () => {
    let begun = 0;
    const { port, events } = await startDownstream({
      handler: (call) => {
        begun += 1;
        return echo(call);
      },
      limits: { resetsPerSecond: 50 },
    });
    const socket = await tcp(port);
    const taken = Array.from({ length: 150 }, (_, index) =>
      Buffer.concat([rawPeer.headers(1 + 2 * index), rawPeer.reset(1 + 2 * index, 8)]),
    );
    socket.write(Buffer.concat([rawPeer.hello, ...taken]));
    await closed(socket);
    await events.seen('connection-closed');
    expect(events.of('connection-closed').map(({ reason }) => reason)).toEqual(['limit']);
    expect(begun).toBeLessThan(100);
  });
});

describe('of the calls that come in one turn', () => {
  const sixteen = Array.from({ length: 16 }, (_, nth) => `call ${nth}`);

  it('sixteen of a connection begin in it, one after a turn that took long, and sixteen again after a short one', () => {
    const { turn, ...rest } = startTurns();
    const { begun, call } = startShare(rest);
    const inTurn = (tookMs: number): number => {
      const before = begun.length;
      for (const name of sixteen) call(name);
      const atOnce = begun.length - before;
      while (rest.due.length > 0) turn(tookMs);
      return atOnce;
    };
    expect([7, 1, 1].map(inTurn)).toEqual([16, 1, 16]);
  });

  it('one begins in it of a connection from where another was cut off', () => {
    const started = startTurns();
    const { begun, call } = startShare(started, true);
    for (const name of sixteen) call(name);
    expect(begun).toEqual(['call 0']);
  });
});
