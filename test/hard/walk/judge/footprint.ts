import type { Violation } from './violation.js';

/** What a part holds while all is well, after a round. */
export interface Sample {
  /** A process of a replica, or what else is counted. */
  readonly name: string;
  readonly atMs: number;
  /** Open files and sockets beside those of callers and nodes. */
  readonly descriptors: number;
  readonly residentMib: number;
}

export interface FootprintLimits {
  readonly descriptors: number;
  readonly residentMib: number;
  /** Of the last third of a process's samples over its first third, once there are so many. */
  readonly growth: number;
  readonly growthMib: number;
  readonly samples: number;
}

/** Connections, descriptors and memory do not grow. */
export class FootprintJudge {
  readonly #limits: FootprintLimits;
  readonly #resident = new Map<string, number[]>();
  highest = { descriptors: 0, residentMib: 0 };

  constructor(limits: FootprintLimits) {
    this.#limits = limits;
  }

  sample({ name, atMs, descriptors, residentMib }: Sample): Violation[] {
    const limits = this.#limits;
    const violations: Violation[] = [];
    const say = (text: string): void =>
      void violations.push({
        rule: 'no growth of connections, descriptors or memory',
        atMs,
        text: `${name}: ${text}`,
      });
    this.highest = {
      descriptors: Math.max(this.highest.descriptors, descriptors),
      residentMib: Math.max(this.highest.residentMib, residentMib),
    };
    if (descriptors > limits.descriptors)
      say(`${descriptors} descriptors beside callers, ${limits.descriptors} at the most`);
    if (residentMib > limits.residentMib)
      say(`${Math.round(residentMib)} MiB, ${limits.residentMib} at the most`);
    const resident = this.#resident.get(name) ?? [];
    resident.push(residentMib);
    this.#resident.set(name, resident);
    if (resident.length < limits.samples) return violations;
    const third = Math.floor(resident.length / 3);
    // The first one is of a process that has just begun.
    const [before, after] = [median(resident.slice(1, third + 1)), median(resident.slice(-third))];
    if (after > before * limits.growth + limits.growthMib)
      say(`${Math.round(before)} MiB has become ${Math.round(after)} MiB in ${resident.length} rounds`);
    return violations;
  }

  /** Of something that is counted, not held by a process. */
  count(name: string, count: number, most: number, atMs: number): Violation[] {
    if (count <= most) return [];
    const text = `${name}: ${count}, ${most} at the most`;
    return [{ rule: 'no growth of connections, descriptors or memory', atMs, text }];
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
