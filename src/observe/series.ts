import { Counter, Histogram, type Registry } from 'prom-client';
import { METRIC_PREFIX } from './metric-prefix.js';
import { QuickHistogram } from './quick-histogram.js';
import { Tally } from './tally.js';

/** The values that each label may have: closed sets, known before the first event. */
export type Labels<T extends string> = Readonly<Record<T, readonly string[]>>;

/**
 * Makes counters and histograms whose every series is there from the start, as 0: `rate()` needs the 0 before the first 1, and
 * what is absent is mistaken for what does not happen.
 */
export interface SeriesMaker {
  counter<T extends string = never>(name: string, help: string, labels?: Labels<T>): Counter<T>;
  histogram<T extends string>(
    name: string,
    help: string,
    labels: Labels<T>,
    /** Seconds. */
    buckets: readonly number[],
  ): Histogram<T>;
  /** A counter of what comes with every call; series that are not there from the start come with their first count. */
  tally<T extends string>(name: string, help: string, labels: Labels<T>): Tally<T>;
  /** A histogram, by one label, of what comes with every call. */
  quickHistogram<T extends string>(
    name: string,
    help: string,
    labels: Labels<T>,
    buckets: readonly number[],
  ): QuickHistogram;
}

export function seriesMaker(registry: Registry): SeriesMaker {
  const base = <T extends string>(name: string, help: string, labels: Labels<T>) => ({
    name: METRIC_PREFIX + name,
    help,
    labelNames: Object.keys(labels) as T[],
    registers: [registry],
  });
  return {
    counter<T extends string = never>(name: string, help: string, labels = {} as Labels<T>) {
      const made = new Counter<T>(base(name, help, labels));
      for (const series of every(labels)) made.inc(series, 0);
      return made;
    },
    histogram<T extends string>(name: string, help: string, labels: Labels<T>, buckets: readonly number[]) {
      const made = new Histogram<T>({ ...base(name, help, labels), buckets: [...buckets] });
      for (const series of every(labels)) made.zero(series);
      return made;
    },
    tally<T extends string>(name: string, help: string, labels: Labels<T>) {
      const tally = new Tally<T>();
      const made = new Counter<T>({
        ...base(name, help, labels),
        collect() {
          tally.flush(this);
        },
      });
      for (const series of every(labels)) made.inc(series, 0);
      return tally;
    },
    quickHistogram<T extends string>(
      name: string,
      help: string,
      labels: Labels<T>,
      buckets: readonly number[],
    ) {
      const [label, values] = Object.entries(labels)[0] as [T, readonly string[]];
      return new QuickHistogram({ name: METRIC_PREFIX + name, help, label, values, buckets, registry });
    },
  };
}

/** Each combination of the values; of no labels, the one without any. */
function every<T extends string>(labels: Labels<T>): Record<T, string>[] {
  let all = [{} as Record<T, string>];
  for (const [name, values] of Object.entries(labels) as [T, readonly string[]][]) {
    all = all.flatMap((series) => values.map((value) => ({ ...series, [name]: value })));
  }
  return all;
}

/** A union as a list, given as an object by its members: one that is added without its series does not compile. */
export function membersOf<T extends string>(members: Record<T, 0>): readonly T[] {
  return Object.keys(members) as T[];
}

/** From a hit, well under a millisecond, to a manager whose Redis is frozen, 9 s. Seconds. */
export const LATENCY_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
