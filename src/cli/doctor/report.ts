import type { Paint } from '../demo/paint.js';
import type { Finding, Verdict } from './finding.js';

/** Exit codes: all well, something to look at, something that does not work. */
export const EXIT: Record<Verdict, number> = { ok: 0, warning: 1, failure: 2 };

const COLOUR = { ok: 'green', warning: 'yellow', failure: 'red' } as const;
const CHECK_WIDTH = 20;

export function worstOf(findings: readonly Finding[]): Verdict {
  const has = (verdict: Verdict): boolean => findings.some((one) => one.verdict === verdict);
  return has('failure') ? 'failure' : has('warning') ? 'warning' : 'ok';
}

/** One line: verdict, what was looked at, what was found, what to do about it. Text of strangers keeps to its line. */
export function asLine({ check, subject, verdict, found, advice }: Finding, paint: Paint): string {
  const about = subject === '' ? '' : `${subject}: `;
  const todo = advice === '' ? '' : ` → ${advice}`;
  return `${paint(COLOUR[verdict], verdict.padEnd(7))} ${check.padEnd(CHECK_WIDTH)} ${printable(`${about}${found}${todo}`)}\n`;
}

export function summaryOf(findings: readonly Finding[], paint: Paint): string {
  const count = (verdict: Verdict): number => findings.filter((one) => one.verdict === verdict).length;
  const [failures, warnings] = [count('failure'), count('warning')];
  const worst = worstOf(findings);
  const text =
    worst === 'ok'
      ? `all well: ${findings.length} checks`
      : `${plural(failures, 'failure')}, ${plural(warnings, 'warning')}, ${count('ok')} of ${findings.length} checks well`;
  return `${paint(COLOUR[worst], text)}\n`;
}

export function asJson(findings: readonly Finding[]): string {
  return `${JSON.stringify({ verdict: worstOf(findings), findings })}\n`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** What a manager, a certificate or Redis says is theirs: no line of it may look like one of ours, or steer the terminal. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}
