import type { Outcome } from './fill.js';
import type { Wanted } from './wanted.js';

/** How a warm-up went; one outcome for each question. */
export interface Run {
  readonly wanted: readonly Wanted[];
  readonly outcomes: readonly Outcome[];
  /** Why not everything that should have been asked was known. */
  readonly trouble: string | undefined;
  readonly durationMs: number;
}

/** What more of the same is only counted, in words for people. */
const MOST_LINES = 20;

export function isAllWarm({ outcomes, trouble }: Run): boolean {
  return trouble === undefined && outcomes.every(({ kind }) => kind === 'warm');
}

/** `name`: of what was filled. */
export function asLines({ wanted, outcomes, trouble, durationMs }: Run, name: string): string {
  const open = outcomes.flatMap((outcome, index) => lineOf(wanted[index]?.name ?? '', outcome));
  const lines = open.slice(0, MOST_LINES);
  if (open.length > MOST_LINES) lines.push(`and ${open.length - MOST_LINES} more`);
  if (trouble !== undefined) lines.push(trouble);
  const seconds = (durationMs / 1000).toFixed(1);
  const { warm } = countsOf(outcomes);
  const summary =
    outcomes.length === 0
      ? 'nothing to ask: warmup.requests is empty'
      : `${warm} of ${outcomes.length} answers of ${name} are warm, in ${seconds} s`;
  return `${[...lines, summary].join('\n')}\n`;
}

export function asJson({ wanted, outcomes, trouble, durationMs }: Run): string {
  const questions = outcomes.map((outcome, index) => ({ ...wanted[index]?.told, outcome }));
  const total = outcomes.length;
  const more = trouble === undefined ? {} : { trouble };
  return `${JSON.stringify({ total, ...countsOf(outcomes), ...more, durationMs, questions })}\n`;
}

function countsOf(outcomes: readonly Outcome[]): { warm: number; stale: number; failed: number } {
  const count = (kind: Outcome['kind']): number => outcomes.filter((one) => one.kind === kind).length;
  return { warm: count('warm'), stale: count('stale'), failed: count('failed') };
}

function lineOf(name: string, outcome: Outcome): string[] {
  switch (outcome.kind) {
    case 'warm':
      return [];
    case 'stale':
      return [
        `${name}: only an answer ${Math.round(outcome.ageMs / 1000)} s old; the manager has not answered`,
      ];
    case 'failed':
      return [`${name}: ${outcome.detail}`];
    default:
      return outcome satisfies never;
  }
}
