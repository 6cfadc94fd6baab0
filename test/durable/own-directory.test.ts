import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemBootClock } from '../../src/durable/boot-clock.js';
import { createOwnDirectory, type OwnDirectory } from '../../src/durable/own-directory.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import { ManualClock } from '../support/manual-clock.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const CHILD = fileURLToPath(new URL('../support/directory-process.mjs', import.meta.url));

interface Wanting {
  readonly child: ChildProcess;
  readonly held: boolean;
  readonly events: GatewayEvent[];
  kill(): Promise<void>;
}

/** A process that wants the directory, once it knows what became of that. */
async function wanting(dir: string): Promise<Wanting> {
  const child = spawn(process.execPath, [CHILD, dir], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(kill);
  const events: GatewayEvent[] = [];
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      const said = JSON.parse(line);
      if ('held' in said) resolve({ child, held: said.held, events, kill });
      else events.push(said);
    });
  });
}

interface Here {
  readonly directory: OwnDirectory;
  readonly clock: ManualClock;
  readonly events: GatewayEvent[];
  /** Takes it, while the clocks of all move on. */
  take(): Promise<boolean>;
}

const NOT_KNOWN = 'not known';
const clocks = new Set<ManualClock>();

/** One in this process. Another `bootId` is another machine, to which only the files are visible. */
function here(dir: string, machine: string | undefined = systemBootClock()?.bootId): Here {
  const bootId = machine === NOT_KNOWN ? undefined : machine;
  const clock = new ManualClock();
  const events: GatewayEvent[] = [];
  const directory = createOwnDirectory({ dir, fleetId: 'f', bootId, clock, emit: (e) => events.push(e) });
  clocks.add(clock);
  onTestFinished(async () => {
    clocks.delete(clock);
    await directory.release();
  });
  return {
    directory,
    clock,
    events,
    async take() {
      const taken = directory.take();
      await meanwhile(taken);
      return directory.held;
    },
  };
}

/** Time passes for everybody here until `done`. */
async function meanwhile(done: Promise<unknown>): Promise<void> {
  let going = true;
  void done.finally(() => {
    going = false;
  });
  while (going) {
    for (const clock of clocks) clock.advance(5);
    // File reads and writes are under way in threads: each step gives them a moment of real time.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function until(holds: () => boolean): Promise<void> {
  await meanwhile(
    (async () => {
      while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
    })(),
  );
}

describe('of two processes on one directory', () => {
  it('the first has it, the second is told so and lives on', async () => {
    const dir = temporaryDirectory();
    const first = await wanting(dir);
    expect([first.held, first.events]).toEqual([true, []]);
    const second = await wanting(dir);
    expect(second.held).toBe(false);
    expect(second.events).toEqual([
      {
        kind: 'directory-unusable',
        dir,
        detail: expect.stringContaining(`another gateway uses it: process ${first.child.pid}`),
      },
    ]);
    expect(second.child.exitCode).toBe(null);
  });

  it('one that was killed is in nobody’s way, not even for a moment', async () => {
    const dir = temporaryDirectory();
    for (let time = 0; time < 3; time++) {
      const one = await wanting(dir);
      expect([one.held, one.events]).toEqual([true, []]);
      await one.kill();
    }
    // Nothing that the dead have left is left: one list, the last one's signs of life.
    expect(readdirSync(dir).length).toBeLessThanOrEqual(3);
  });

  it('one that is frozen lives', async () => {
    const dir = temporaryDirectory();
    const first = await wanting(dir);
    first.child.kill('SIGSTOP');
    expect((await wanting(dir)).held).toBe(false);
    first.child.kill('SIGCONT');
  });

  it('of many that start at once exactly one has it, whatever a dead one has left', async () => {
    const dir = temporaryDirectory();
    await (await wanting(dir)).kill();
    writeFileSync(join(dir, readdirSync(dir).find((name) => !name.includes('.')) as string), 'no line', {
      flag: 'a',
    });
    const all = await Promise.all(Array.from({ length: 6 }, () => wanting(dir)));
    expect(all.filter(({ held }) => held)).toHaveLength(1);
  });

  it('the second has it soon after the first has ended, and says so', async () => {
    const dir = temporaryDirectory();
    const first = await wanting(dir);
    const second = here(dir);
    let taken = 0;
    second.directory.whenTaken(() => taken++);
    expect(await second.take()).toBe(false);
    first.child.stdin?.end();
    await once(first.child, 'exit');
    await until(() => taken > 0);
    expect(second.directory.held).toBe(true);
    expect(second.events.map(({ kind }) => kind)).toEqual(['directory-unusable', 'directory-taken']);
  });
});

describe('on a file system that several machines share', () => {
  it('one that lives on another machine is heard to beat', async () => {
    const dir = temporaryDirectory();
    expect(await here(dir, 'one').take()).toBe(true);
    const other = here(dir, 'other');
    expect(await other.take()).toBe(false);
    expect(other.events).toMatchObject([{ kind: 'directory-unusable' }]);
  });

  it('one that died there is given a moment; one that has ended is not waited for', async () => {
    const dir = temporaryDirectory();
    const one = here(dir, 'one');
    await one.take();
    clocks.delete(one.clock); // it beats no more
    const other = here(dir, 'other');
    const startedAtMs = other.clock.nowMs();
    expect(await other.take()).toBe(true);
    expect(other.clock.nowMs() - startedAtMs).toBeGreaterThanOrEqual(3_000);
    await other.directory.release();
    const third = here(dir, 'third');
    const takenAtMs = third.clock.nowMs();
    const waits = third.clock.pendingTimers;
    await third.directory.take();
    expect([third.directory.held, third.clock.nowMs() - takenAtMs, waits]).toEqual([true, 0, 0]);
  });

  it('one that was frozen there, and taken for dead, finds out and keeps off', async () => {
    const dir = temporaryDirectory();
    const one = here(dir, 'one');
    await one.take();
    clocks.delete(one.clock);
    const other = here(dir, 'other');
    await other.take();
    clocks.add(one.clock);
    await until(() => one.events.length > 0);
    expect(one.directory.held).toBe(false);
    expect(one.events).toEqual([
      { kind: 'directory-unusable', dir, detail: 'another gateway took this one for dead' },
    ]);
    expect(other.directory.held).toBe(true);
  });

  it.each([
    ['the start of the machine is not known', () => temporaryDirectory(), NOT_KNOWN],
    ['no socket can be where the path is long', () => longDirectory(), systemBootClock()?.bootId],
  ])('beats are enough where %s', async (_, makeDir, machine) => {
    const dir = makeDir();
    const one = here(dir, machine);
    expect(await one.take()).toBe(true);
    const other = here(dir, machine);
    expect(await other.take()).toBe(false);
    await other.directory.release();
    clocks.delete(one.clock);
    expect(await here(dir, machine).take()).toBe(true);
  });
});

it('fleets do not stand in each other’s way, and a directory that cannot be made is told of once', async () => {
  const dir = temporaryDirectory();
  await here(dir).take();
  const clock = new ManualClock();
  const events: GatewayEvent[] = [];
  const other = createOwnDirectory({ dir, fleetId: 'g', bootId: 'x', clock, emit: (e) => events.push(e) });
  await other.take();
  expect([other.held, events]).toEqual([true, []]);
  await other.release();
  writeFileSync(join(dir, 'file'), '');
  const none = here(join(dir, 'file', 'below'));
  expect(await none.take()).toBe(false);
  await none.clock.advanceAsync(20_000);
  expect(none.events.map(({ kind }) => kind)).toEqual(['directory-unusable']);
});

function longDirectory(): string {
  const dir = join(temporaryDirectory(), 'x'.repeat(100));
  mkdirSync(dir);
  return dir;
}
