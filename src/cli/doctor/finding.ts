/** How a check ended. `warning`: it works, and something is to be done about it all the same. */
export type Verdict = 'ok' | 'warning' | 'failure';

/** One line of the report. */
export interface Finding {
  /** What was looked at, e.g. "name resolution"; from a closed set. */
  readonly check: string;
  /** Of what, e.g. "manager.dragonfly:65003"; "" where there is only one. */
  readonly subject: string;
  readonly verdict: Verdict;
  /** What was found, with its figure. */
  readonly found: string;
  /** What to do about it; "" where there is nothing to do. */
  readonly advice: string;
}

/** Makes the findings about one subject. */
export interface Findings {
  ok(check: string, found: string): Finding;
  warning(check: string, found: string, advice: string): Finding;
  failure(check: string, found: string, advice: string): Finding;
}

export function findingsAbout(subject: string): Findings {
  const make = (verdict: Verdict, check: string, found: string, advice = ''): Finding => ({
    check,
    subject,
    verdict,
    found,
    advice,
  });
  return {
    ok: (check, found) => make('ok', check, found),
    warning: (check, found, advice) => make('warning', check, found, advice),
    failure: (check, found, advice) => make('failure', check, found, advice),
  };
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** For reading: whole milliseconds from 10 on. */
export function inMs(durationMs: number): string {
  return `${durationMs < 10 ? durationMs.toFixed(1) : Math.round(durationMs)} ms`;
}
