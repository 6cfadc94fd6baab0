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
  /** As `growthMib`. */
  readonly descriptorGrowth: number;
  readonly residentMib: number;
  /** Of the last third of a process's samples over its first third, once there are so many. */
  readonly growth: number;
  readonly growthMib: number;
  readonly samples: number;
}

/** Connections, descriptors and memory do not grow. */
export class FootprintJudge {
  readonly #limits: FootprintLimits;
  readonly #samples = new Map<string, Sample[]>();
  highest = { descriptors: 0, residentMib: 0 };
  /** So often a process was seen to grow or not. */
  compared = 0;

  constructor(limits: FootprintLimits) {
    this.#limits = limits;
  }

  sample(sample: Sample): Violation[] {
    const { name, atMs, descriptors, residentMib } = sample;
    if (!Number.isFinite(descriptors + residentMib)) throw new Error(`nobody can say what ${name} holds`);
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
    const samples = [...(this.#samples.get(name) ?? []), sample];
    this.#samples.set(name, samples);
    if (samples.length < limits.samples) return violations;
    this.compared += 1;
    const [mib, mibNow] = ends(samples.map((one) => one.residentMib));
    if (mibNow > mib * limits.growth + limits.growthMib)
      say(`${Math.round(mib)} MiB has become ${Math.round(mibNow)} MiB in ${samples.length} rounds`);
    const [open, openNow] = ends(samples.map((one) => one.descriptors));
    if (openNow > open * limits.growth + limits.descriptorGrowth)
      say(`${open} descriptors have become ${openNow} in ${samples.length} rounds`);
    return violations;
  }

  /** Of something that is counted, not held by a process. NaN: nobody could say. */
  count(name: string, count: number, most: number, atMs: number): Violation[] {
    if (!(count > most)) return [];
    const text = `${name}: ${count}, ${most} at the most`;
    return [{ rule: 'no growth of connections, descriptors or memory', atMs, text }];
  }
}

/** Of the first third of them, and of the last; the first one is of a process that has just begun. */
function ends(values: readonly number[]): [number, number] {
  const third = Math.floor(values.length / 3);
  return [median(values.slice(1, third + 1)), median(values.slice(-third))];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
