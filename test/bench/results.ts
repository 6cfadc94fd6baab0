/** What one repetition measured, by the name of the measure; what was not measured is left out. */
export type Measured = Readonly<Record<string, number>>;

export interface Row {
  readonly scenario: string;
  readonly target: string;
  /** One per repetition, in their order. */
  readonly repetitions: readonly Measured[];
}

export interface Missing {
  readonly name: string;
  readonly reason: string;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  /** Which cores the server, the manager and the generators ran on; "" where they could not be kept apart. */
  readonly pinning: string;
}

/** A run, as it is written down: everything that the page of benchmarks says is computed from it. */
export interface Results {
  /** Day of the run, YYYY-MM-DD. */
  readonly day: string;
  readonly machine: Machine;
  /** Version of each target and generator, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly missing: readonly Missing[];
  /** What a reader has to know of this run besides. */
  readonly note?: string;
  readonly rows: readonly Row[];
}
