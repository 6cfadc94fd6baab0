import { availableParallelism } from 'node:os';

/** Who runs where, as taskset's lists; '' where there is but one core. */
export interface Cores {
  readonly server: string;
  readonly manager: string;
  readonly generator: string;
}

/** The server alone on the first core. The stub manager shares the generator's, unless there is a third. */
export function coresOf(count: number = availableParallelism()): Cores {
  if (count < 2) return { server: '', manager: '', generator: '' };
  return { server: '0', generator: '1', manager: count > 2 ? '2' : '1' };
}

export function describe({ server, manager, generator }: Cores): string {
  if (server === '') return '';
  return `server on core ${server}, generators on core ${generator}, stub manager on core ${manager}`;
}
