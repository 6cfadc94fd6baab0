import type { Started } from '../processes.js';

/** Where and how a target is started. */
export interface Place {
  readonly managerPort: number;
  readonly cores: string;
  /** For its configuration; removed after the run. */
  readonly directory: string;
  /** `--set` of the gateway; the others have nothing like it. */
  readonly settings?: readonly string[];
}

export interface Running {
  readonly port: number;
  readonly process: Started;
  /** Port of its metrics, where it has some that a scenario reads. */
  readonly metricsPort?: number;
}

/** Something that is measured: the gateway, what could stand in its place, or what bounds them. */
export interface Target {
  readonly name: string;
  /** Its version; rejects, and says why, where it is not installed. */
  version(): Promise<string>;
  start(place: Place): Promise<Running>;
}
