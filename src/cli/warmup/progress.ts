import { clip } from '../demo/format.js';
import type { Output } from '../demo/screen.js';

export interface Counts {
  readonly total: number;
  /** Answered with what the manager says now. */
  readonly warm: number;
  /** Still only answered with what it said before, or not at all. */
  readonly open: number;
}

/** What a person, or a log, sees while it runs. */
export interface Progress {
  show(counts: Counts, now: string): void;
  close(): void;
}

const DEFAULT_WIDTH = 80;
const BAR_WIDTH = 30;

/** A bar drawn over itself in a terminal; elsewhere a line for each tenth. */
export function createProgress(output: Output, isTty: boolean): Progress {
  return isTty ? bar(output) : lines(output);
}

function bar(output: Output): Progress {
  let drawn = false;
  return {
    show({ total, warm, open }, now) {
      const full = total === 0 ? BAR_WIDTH : Math.round((warm / total) * BAR_WIDTH);
      const failing = open > 0 ? `, ${open} not yet` : '';
      const text = `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}] ${warm}/${total}${failing}  ${now}`;
      // A terminal that does not know its size says 0.
      const columns = output.columns || DEFAULT_WIDTH;
      output.write(`\r\u001b[2K${clip(text, Math.max(20, columns - 1))}`);
      drawn = true;
    },
    close() {
      if (drawn) output.write('\n');
      drawn = false;
    },
  };
}

function lines(output: Output): Progress {
  let tenths = 0;
  return {
    show({ total, warm, open }) {
      const reached = total === 0 ? 10 : Math.floor((warm / total) * 10);
      if (reached <= tenths) return;
      tenths = reached;
      output.write(`${warm} of ${total} warm${open > 0 ? `, ${open} not yet` : ''}\n`);
    },
    close() {},
  };
}
