import type { Counter } from 'prom-client';

/** One series, counted by whoever has it. */
export interface Cell {
  count: number;
}

/**
 * Counts of what comes with every call. A counter of prom-client finds its series by hashing labels each time; here that is done when
 * somebody reads it (`flush`, as the counter's `collect`), and a call costs an addition.
 */
export class Tally<T extends string> {
  readonly #cells: { readonly labels: Record<T, string>; readonly cell: Cell }[] = [];

  /** To be asked for once per series. */
  cell(labels: Record<T, string>): Cell {
    const cell = { count: 0 };
    this.#cells.push({ labels, cell });
    return cell;
  }

  flush(counter: Counter<T>): void {
    for (const { labels, cell } of this.#cells) {
      if (cell.count > 0) counter.inc(labels, cell.count);
      cell.count = 0;
    }
  }
}

/** Cells, or cells by the next label: each is made when it is first asked for, and then found by one look into a map. */
export function cellsBy<T>(make: (value: string) => T): (value: string) => T {
  const made = new Map<string, T>();
  return (value) => {
    const known = made.get(value);
    if (known !== undefined) return known;
    const first = make(value);
    made.set(value, first);
    return first;
  };
}
