import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChannelCallListener } from '../../src/upstream/channel-call.js';
import type { LineCall } from '../../src/upstream/line.js';
import { ScriptedLine, ScriptedLines } from '../support/scripted-line.js';
import { type Attached, GRACE_MS, INTERVAL_MS, shieldBench, V1, V2 } from '../support/shield-bench.js';

/** A manager as it was measured: no reference count, any end sets the node inactive, and the status comes behind that. */
class CountlessManager extends ScriptedLine {
  active = false;
  /** The end of one stream was written while another was open: the node is inactive, whatever lives. */
  harmed = false;
  #open = 0;
  readonly #later: (run: () => void) => void;

  constructor(later: (run: () => void) => void) {
    super('127.0.0.1:1', [], () => undefined);
    this.#later = later;
  }

  override open(path: string, metadata: object, listener: ChannelCallListener): LineCall {
    const call = super.open(path, metadata as never, listener);
    const stream = this.streams.at(-1);
    let begun = false;
    return {
      ...call,
      send: (message) => {
        if (!begun) {
          begun = true;
          this.#open++;
          this.active = true;
        }
        return call.send(message);
      },
      halfClose: () => {
        if (stream !== undefined) stream.halfClosed = true;
        this.#later(() => {
          this.active = false;
          if (--this.#open > 0) this.harmed = true;
          stream?.end();
        });
      },
    };
  }
}

type Step =
  | { readonly kind: 'attach'; readonly path: string }
  | { readonly kind: 'leave'; readonly which: number; readonly how: 'cancelled' | 'half-close' | 'deadline' }
  | { readonly kind: 'lose'; readonly which: number }
  | { readonly kind: 'pass'; readonly ms: number };

const which = fc.nat(19);
const steps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant('attach' as const), path: fc.constantFrom(V1, V2) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('leave' as const),
        which,
        how: fc.constantFrom('cancelled' as const, 'half-close' as const, 'deadline' as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), which }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(5) }) },
  ),
  { minLength: 2, maxLength: 60 },
);

const STREAMS = 20;
/** The manager takes so long over the end of a stream. */
const WRITE_MS = 2;
/** Long enough for all that follows from a step, short beside grace and beats. */
const SETTLED_MS = 20;

async function run(script: readonly Step[], settleEach: boolean): Promise<void> {
  const lines = new ScriptedLines();
  const bench = shieldBench({ lines });
  const manager = new CountlessManager((write) => void bench.clock.setTimer(WRITE_MS, write));
  lines.line = () => manager;
  let living: Attached[] = [];
  let graceUntilMs = Number.NEGATIVE_INFINITY;

  const expectRight = async (): Promise<void> => {
    await bench.pass(SETTLED_MS);
    const isExpected = living.length > 0 || bench.clock.nowMs() < graceUntilMs;
    expect({ active: manager.active, harmed: manager.harmed }).toEqual({ active: isExpected, harmed: false });
  };
  const take = (which: number): Attached | undefined => {
    const taken = living[which % Math.max(1, living.length)];
    living = living.filter((one) => one !== taken);
    return taken;
  };

  for (const step of script) {
    switch (step.kind) {
      case 'attach':
        if (living.length === STREAMS) break;
        living.push(await bench.attach({}, step.path));
        graceUntilMs = Number.NEGATIVE_INFINITY;
        break;
      case 'leave': {
        const leaving = take(step.which);
        if (step.how === 'half-close') leaving?.call.send(undefined);
        else leaving?.call.leave(step.how);
        break;
      }
      case 'lose': {
        const lost = take(step.which);
        lost?.call.leave('connection-lost');
        if (lost !== undefined && living.length === 0) graceUntilMs = bench.clock.nowMs() + GRACE_MS;
        break;
      }
      case 'pass':
        await bench.pass(step.ms);
        break;
      default:
        step satisfies never;
    }
    if (settleEach) await expectRight();
  }
  await expectRight();
  await bench.beating(living, 2 * INTERVAL_MS);
  await expectRight();
  for (const one of living) one.call.leave('cancelled');
  living = [];
  await bench.pass(GRACE_MS);
  await expectRight();
  expect(bench.shield.nodes()).toEqual([]);
  expect(bench.clock.pendingTimers).toBe(0);
}

describe('two to twenty streams of one node, opened and ended in any order,', () => {
  it.each([
    ['each step on its own', true],
    ['steps on top of each other', false],
  ])('keep it active exactly while one lives (%s)', async (_, settleEach) => {
    await fc.assert(
      fc.asyncProperty(steps, (script) => run(script, settleEach)),
      { numRuns: 150 },
    );
  });
});
