import { livePicture, type Moment, plainLines } from './live.js';
import type { Paint } from './paint.js';

/** Where the demo writes; a terminal says how wide it is. */
export interface Output {
  write(text: string): unknown;
  readonly columns?: number | undefined;
}

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const ERASE_BELOW = '\u001b[0J';
/** For pipes and files. */
const DEFAULT_WIDTH = 100;

/** What people see while it runs: a picture drawn over itself in a terminal, lines elsewhere. */
export class Screen {
  readonly #output: Output;
  readonly #isTty: boolean;
  readonly #paint: Paint;
  #drawn = 0;
  #hidden = false;

  constructor(output: Output, options: { isTty: boolean; paint: Paint }) {
    this.#output = output;
    this.#isTty = options.isTty;
    this.#paint = options.paint;
  }

  /** One column is left free: some terminals wrap a line that fills the last one. */
  get width(): number {
    return Math.max(40, (this.#output.columns ?? DEFAULT_WIDTH) - 1);
  }

  /** `important`: worth a line even where every line stays. */
  show(moment: Moment, important: boolean): void {
    if (!this.#isTty) {
      if (important) this.lines(plainLines(moment));
      return;
    }
    const picture = livePicture(moment, this.width, this.#paint);
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A\r${ERASE_BELOW}` : '';
    const hide = this.#hidden ? '' : HIDE_CURSOR;
    this.#hidden = true;
    this.#drawn = picture.length;
    this.#output.write(`${hide}${up}${picture.join('\n')}\n`);
  }

  lines(lines: readonly string[]): void {
    this.#drawn = 0;
    this.#output.write(`${lines.join('\n')}\n`);
  }

  /** Gives the cursor back; the picture stays. */
  close(): void {
    if (this.#hidden) this.#output.write(SHOW_CURSOR);
    this.#hidden = false;
    this.#drawn = 0;
  }
}
