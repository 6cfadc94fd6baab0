import { appendFile } from 'node:fs/promises';
import { readUpTo, replaceFile } from './files.js';
import type { SignKind } from './sign-of-life.js';

/** A process that wants a directory for itself. */
export interface Claimant {
  /** Random: names its signs of life, too. */
  readonly id: string;
  readonly sign: SignKind;
  /** The start of the machine that it runs on; '-': nobody knows. */
  readonly bootId: string;
  /** For people; inside a container it is often 1. */
  readonly pid: number;
  readonly since: string;
}

/** Those who want a directory, in the order of their coming, in a file that each adds its line to. The first who lives has it. */
export interface Claimants {
  read(): Promise<readonly Claimant[]>;
  add(one: Claimant): Promise<void>;
  /** Only for the one who has it. */
  replace(all: readonly Claimant[]): Promise<void>;
}

const LINE = /^([0-9a-f]{16}) (socket|beat) (\S+) (\d+) (\S+)$/;
const MAX_BYTES = 1024 * 1024;
const FILE_MODE = 0o600;

export function createClaimants(file: string): Claimants {
  return {
    async read() {
      const text = (await readUpTo(file, MAX_BYTES))?.toString('utf8') ?? '';
      // What is no line is of somebody who died in the middle of it.
      return text.split('\n').flatMap((line) => {
        const [, id, sign, bootId, pid, since] = LINE.exec(line) ?? [];
        if (id === undefined || bootId === undefined || since === undefined) return [];
        return [
          { id, sign: sign === 'socket' ? 'socket' : 'beat', bootId, pid: Number(pid), since } as const,
        ];
      });
    },
    // A line of its own in one go, whatever the one before has left unfinished.
    add: (one) => appendFile(file, `\n${lineOf(one)}`, { mode: FILE_MODE }),
    async replace(all) {
      await replaceFile(file, [Buffer.from(all.map(lineOf).join(''))]);
    },
  };
}

function lineOf({ id, sign, bootId, pid, since }: Claimant): string {
  return `${id} ${sign} ${bootId} ${pid} ${since}\n`;
}
