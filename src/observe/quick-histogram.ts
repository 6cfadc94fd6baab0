import type { Metric, Registry } from 'prom-client';

export interface QuickHistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  /** Series that are there from the start; others come with their first value. */
  readonly values: readonly string[];
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
  readonly registry: Registry;
}

/** As prom-client has them. */
interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

interface Series {
  /** Of each bucket alone; the last one has no upper bound. */
  readonly counts: number[];
  sum: number;
}

/**
 * A histogram by one label for what comes with every call. That of prom-client finds its series by hashing labels, and makes a closure
 * for each value; this one is read in the same way, and says the same (test/observe/quick-histogram.test.ts).
 */
export class QuickHistogram {
  readonly #options: QuickHistogramOptions;
  readonly #series = new Map<string, Series>();

  constructor(options: QuickHistogramOptions) {
    this.#options = options;
    for (const value of options.values) this.#add(value);
    // A registry asks a metric for no more than what `get` says.
    options.registry.registerMetric(this as unknown as Metric);
  }

  get name(): string {
    return this.#options.name;
  }

  /** `amount` of the series whose label has `value`. */
  observe(value: string, amount: number): void {
    const series = this.#series.get(value) ?? this.#add(value);
    const { buckets } = this.#options;
    let at = 0;
    while (at < buckets.length && amount > (buckets[at] as number)) at++;
    series.counts[at] = (series.counts[at] as number) + 1;
    series.sum += amount;
  }

  /** What it says when it is read. */
  async get() {
    const { name, help } = this.#options;
    const values = [...this.#series].flatMap(([value, series]) => this.#valuesOf(value, series));
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  }

  /** To 0, as it was made. */
  reset(): void {
    this.#series.clear();
    for (const value of this.#options.values) this.#add(value);
  }

  #add(value: string): Series {
    const series = { counts: Array.from({ length: this.#options.buckets.length + 1 }, () => 0), sum: 0 };
    this.#series.set(value, series);
    return series;
  }

  #valuesOf(value: string, { counts, sum }: Series): Sample[] {
    const { name, label, buckets } = this.#options;
    const labels = { [label]: value };
    let below = 0;
    const upTo = counts.map((count, at) => {
      below += count;
      return { metricName: `${name}_bucket`, labels: { le: buckets[at] ?? '+Inf', ...labels }, value: below };
    });
    return [
      ...upTo,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: below },
    ];
  }
}
