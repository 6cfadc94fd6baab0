import type { Measured, Row } from './results.js';
import { median, spread } from './statistics.js';

export interface Summary {
  readonly scenario: string;
  readonly target: string;
  readonly repetitions: number;
  /** By measure. */
  readonly medians: Measured;
  readonly spreads: Readonly<Record<string, readonly [number, number]>>;
}

/** Medians and spreads over the repetitions of a row. */
export function summaryOf({ scenario, target, repetitions }: Row): Summary {
  const measures = [...new Set(repetitions.flatMap((one) => Object.keys(one)))];
  const valuesOf = (measure: string): number[] =>
    repetitions.map((one) => one[measure]).filter((value) => value !== undefined);
  return {
    scenario,
    target,
    repetitions: repetitions.length,
    medians: Object.fromEntries(measures.map((measure) => [measure, median(valuesOf(measure))])),
    spreads: Object.fromEntries(measures.map((measure) => [measure, spread(valuesOf(measure))])),
  };
}
