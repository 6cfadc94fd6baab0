import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScriptedAnswer, ScriptedCall } from '../../../src/simulator/manager/scripted-manager.js';
import { connectCaller } from '../../support/caller.js';
import { type Attacked, startAttacked } from '../../support/promises-attacked.js';
import { listSchedulersOf, PATHS, textField } from '../../support/promises-messages.js';
import { startLegitimateCallers } from './legitimate-callers.js';

const ATTACKER = fileURLToPath(new URL('./attacker.mjs', import.meta.url));
const MIB = 1024 * 1024;
const LARGE_ANSWER = Buffer.alloc(20 * MIB, 7);
/** One scheduler and no cluster: an answer that is remembered (an empty list is asked for again each time), and as its asker's own. */
const LISTED = textField(1, textField(2, 'scheduler-0').toString('latin1'));
/** What an attack may have the gateway hold on top of what it had: windows, halves of messages, garbage not yet collected. */
const GROWTH_BYTES = 400 * MIB;
const P99_LIMIT_MS = 50;
/** `./test/run --hard`, on a machine that does nothing else: in CI only failures, memory and counts are judged, no times. */
const QUIET = process.env.QUIET_MACHINE === 'yes';

interface Attack {
  readonly name: string;
  readonly connections: number;
  readonly count: number;
  readonly seconds: number;
  /** How often it has to strike; once where nothing is said. */
  readonly atLeast?: number;
  /** By which of its series it is seen. */
  readonly counted: (gateway: Attacked) => Promise<number>;
  /** What others are answered from becomes void by it, so that their questions go to the manager, too. */
  readonly voids?: true;
}

const FOREVER = 1e12;
const A_MILLION = 1_000_000;
const closedFor = (reason: string) => (gateway: Attacked) =>
  gateway.sum('downstream_connections_closed_total', `reason="${reason}"`);
const limit = (name: string) => (gateway: Attacked) => gateway.sum('limits_reached_total', `limit="${name}"`);
const badInput = (reason: string) => (gateway: Attacked) =>
  gateway.sum('bad_input_total', `reason="${reason}"`);

const ATTACKS: readonly Attack[] = [
  { name: 'rapid-reset', connections: 4, count: FOREVER, seconds: 6, counted: limit('resets') },
  { name: 'continuation', connections: 4, count: FOREVER, seconds: 6, counted: closedFor('protocol-error') },
  { name: 'stream-flood', connections: 4, count: FOREVER, seconds: 6, counted: closedFor('protocol-error') },
  { name: 'large-headers', connections: 4, count: 20_000, seconds: 6, counted: badInput('metadata') },
  { name: 'idle-sockets', connections: 2_000, count: FOREVER, seconds: 8, counted: closedFor('first-frame') },
  { name: 'ping', connections: 4, count: FOREVER, seconds: 6, counted: limit('pings') },
  { name: 'settings', connections: 4, count: FOREVER, seconds: 6, counted: limit('settings') },
  // Nobody here is told of them: what has come without a call is looked at before each ping.
  { name: 'window', connections: 4, count: FOREVER, seconds: 6, counted: limit('empty-frames') },
  {
    name: 'slow-reader',
    connections: 4,
    count: 40,
    seconds: 12,
    counted: closedFor('ping-timeout'),
  },
  {
    name: 'random-keys',
    // Few, so that each has more to ask than it may, however slow the machine. Who is cut off waits, and two would need seven minutes.
    connections: QUIET ? 4 : 2,
    count: QUIET ? A_MILLION : 20_000,
    seconds: QUIET ? 560 : 30,
    atLeast: QUIET ? A_MILLION : 1,
    counted: limit('asking'),
  },
  {
    name: 'forged-delete',
    connections: 4,
    count: QUIET ? FOREVER : 20_000,
    seconds: 10,
    counted: limit('asking'),
    voids: true,
  },
];

let gateway: Attacked;

beforeAll(async () => {
  const sets = [
    'server.ping={ interval: 2s, timeout: 3s }',
    'server.limits.firstFrameTimeout=3s',
    'server.limits.asksPerSecond=50',
    'snapshot.dir=',
    // What the legitimate callers ask stays remembered: this is about attacks, not about expiry.
    'cache.methods.ListSchedulers.ttl=1h',
    'cache.methods.ListSchedulers.exactTtl=1h',
  ];
  const answer = ({ path, messages }: ScriptedCall): ScriptedAnswer => {
    if (path.endsWith('/Large')) return { messages: [LARGE_ANSWER] };
    return { messages: path === PATHS.list ? [LISTED] : messages };
  };
  // It is no part of what is measured, and on the same cores: it keeps nothing.
  gateway = await startAttacked(sets, answer, false);
  // The callers that startAttacked brings write without pause, which the limits here are to forbid.
  await gateway.others.stop();
  const caller = await connectCaller(gateway.address);
  for (let index = 0; index < 8; index++)
    expect((await caller.call(PATHS.list, listSchedulersOf(`legitimate-${index}`))).code).toBe(0);
  await caller.close();
}, 60_000);

afterAll(async () => {
  expect(await gateway?.stop()).toBe(0);
});

async function attack({
  name,
  connections,
  count,
  seconds,
}: Attack): Promise<{ rounds: number; closed: number }> {
  const args = [ATTACKER, name, gateway.port, connections, count, seconds].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: (seconds + 60) * 1000 });
  return JSON.parse(stdout) as { rounds: number; closed: number };
}

const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;

describe('while one attacks with all his might, others notice nothing:', { timeout: 660_000 }, () => {
  it.each(ATTACKS)('$name', async (one) => {
    const countedBefore = await one.counted(gateway);
    const peakBefore = gateway.peakBytes();
    const legitimate = await startLegitimateCallers(gateway.address);
    const done = await attack(one);
    const { latenciesMs, failures, lateMs, sources } = await legitimate.stop();
    const p99Ms = percentile(latenciesMs, 0.99);
    const grownMib = (gateway.peakBytes() - peakBefore) / MIB;
    const counted = async () => (await one.counted(gateway)) - countedBefore;
    process.stdout.write(
      `${one.name}: ${JSON.stringify({ ...done, calls: latenciesMs.length, ...sources, p99Ms: Math.round(p99Ms), machineP99Ms: Math.round(percentile(lateMs, 0.99)), grownMib: Math.round(grownMib) })}\n`,
    );
    expect(done.rounds).toBeGreaterThanOrEqual(one.atLeast ?? 1);
    expect(latenciesMs.length).toBeGreaterThan(10);
    expect(failures).toEqual([]);
    if (!one.voids) expect(Object.keys(sources)).toEqual(['hit']);
    expect(grownMib * MIB).toBeLessThan(GROWTH_BYTES);
    if (QUIET) expect(p99Ms).toBeLessThan(P99_LIMIT_MS);
    await expect.poll(counted, { timeout: 15_000 }).toBeGreaterThan(0);
    expect(gateway.faults()).toEqual([]);
    await expect.poll(() => gateway.metric('downstream_connections'), { timeout: 25_000 }).toBe(0);
  });

  it('and no descriptor is left of it all', () => {
    expect(gateway.openDescriptors()).toBeLessThan(60);
  });
});
