import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Emit } from '../observe/events.js';
import type { Clock, Timer } from '../rpc/clock.js';
import { type Claimant, createClaimants } from './claimants.js';
import { proveWritable } from './files.js';
import { clearSigns, lives, type SignOfLife, showLife } from './sign-of-life.js';

/** A directory that one gateway of a fleet has for itself: whoever writes into it asks `held` first. */
export interface OwnDirectory {
  /** "": there is none. */
  readonly dir: string;
  /** It can be written to, and no other gateway does. */
  readonly held: boolean;
  /** Tries to have it, and goes on trying. Resolves after the first time. Never rejects: that it cannot be had is an event. */
  take(): Promise<void>;
  /** Runs each time that it is had from now on: `take` was too early, or it was lost. */
  whenTaken(act: () => void): void;
  /** The last thing to be done with it. Never rejects. */
  release(): Promise<void>;
}

export interface OwnDirectoryOptions {
  readonly dir: string;
  readonly fleetId: string;
  /** Of this start of the machine; undefined: nobody knows. */
  readonly bootId: string | undefined;
  readonly clock: Clock;
  readonly emit: Emit;
}

const RETRY_MS = 5_000;
/** Another one who takes it makes the list anew; whoever added a line just before adds it again. */
const ATTEMPTS = 5;

type State =
  | { readonly kind: 'wanted' | 'released' }
  | { readonly kind: 'held'; readonly own: Claimant; readonly sign: SignOfLife };

/** See docs/decisions/0020-one-gateway-per-directory.md. */
export function createOwnDirectory(options: OwnDirectoryOptions): OwnDirectory {
  const { dir, clock, emit } = options;
  if (dir === '') return NO_DIRECTORY;
  const fleet = createHash('sha256').update(options.fleetId).digest('hex').slice(0, 12);
  const file = join(dir, `lock-${fleet}`);
  const claimants = createClaimants(file);
  const baseOf = ({ id }: Pick<Claimant, 'id'>): string => `${file}-${id}`;
  const listeners: (() => void)[] = [];
  let state: State = { kind: 'wanted' };
  let told: string | undefined;
  let timer: Timer | undefined;
  let working: Promise<void> = Promise.resolve();

  const unusable = (detail: string): void => {
    if (told !== detail) emit({ kind: 'directory-unusable', dir, detail });
    told = detail;
  };

  /** Those of another start of a machine may be of another machine: their kernel is not ours to ask. */
  const isAlive = (one: Claimant): Promise<boolean> =>
    lives(baseOf(one), one.bootId === options.bootId ? one.sign : 'beat', clock);

  /** undefined: it is ours. */
  const rivalOf = async (own: Claimant): Promise<Claimant | undefined> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await claimants.add(own);
      const all = await claimants.read();
      const place = all.findIndex(({ id }) => id === own.id);
      if (place === -1) continue;
      const before = all.slice(0, place);
      for (const one of before) if (await isAlive(one)) return one;
      await claimants.replace([own]);
      await Promise.all(before.map((one) => clearSigns(baseOf(one))));
      return undefined;
    }
    throw new Error(`${file} does not keep what is written to it`);
  };

  const claim = async (): Promise<void> => {
    await proveWritable(dir);
    const id = randomBytes(8).toString('hex');
    const sign = await showLife(baseOf({ id }), clock);
    const bootId = options.bootId ?? '-';
    const since = new Date(clock.wallMs()).toISOString();
    const own: Claimant = { id, sign: sign.kind, bootId, pid: process.pid, since };
    let rival: Claimant | undefined;
    try {
      rival = await rivalOf(own);
    } catch (error) {
      await sign.stop();
      throw error;
    }
    if (rival !== undefined) {
      await sign.stop();
      return unusable(`another gateway uses it: process ${rival.pid}, since ${rival.since}`);
    }
    state = { kind: 'held', own, sign };
    if (told !== undefined) emit({ kind: 'directory-taken', dir });
    told = undefined;
  };

  /** One that was frozen, on another machine, finds here that it was taken for dead. */
  const isStillOurs = async ({ own, sign }: Extract<State, { kind: 'held' }>): Promise<void> => {
    const all = await claimants.read().catch(() => undefined);
    if (all === undefined || all.some(({ id }) => id === own.id) || state.kind !== 'held') return;
    state = { kind: 'wanted' };
    unusable('another gateway took this one for dead');
    await sign.stop();
  };

  const work = async (): Promise<void> => {
    timer?.cancel();
    if (state.kind === 'held') await isStillOurs(state);
    else if (state.kind === 'wanted') {
      await claim().catch((error: unknown) =>
        unusable(error instanceof Error ? error.message : String(error)),
      );
    }
    if (!isReleased(state)) timer = clock.setTimer(RETRY_MS, () => void goOn());
  };
  const goOn = async (): Promise<void> => {
    const before = state;
    working = work();
    await working;
    if (state !== before && state.kind === 'held') for (const act of listeners) act();
  };

  return {
    dir,
    get held() {
      return state.kind === 'held';
    },
    take() {
      working = work();
      return working;
    },
    whenTaken: (act) => void listeners.push(act),
    async release() {
      await working;
      timer?.cancel();
      const last = state;
      state = { kind: 'released' };
      if (last.kind !== 'held') return;
      // While it still shows life: whoever comes now finds either this line, and a living one behind it, or none.
      const all = await claimants.read().catch(() => []); // then the next one finds this process dead
      if (all.some(({ id }) => id === last.own.id)) await claimants.replace([]).catch(() => undefined);
      await last.sign.stop();
    },
  };
}

function isReleased({ kind }: State): boolean {
  return kind === 'released';
}

const NO_DIRECTORY: OwnDirectory = {
  dir: '',
  held: false,
  take: () => Promise.resolve(),
  whenTaken: () => undefined,
  release: () => Promise.resolve(),
};
