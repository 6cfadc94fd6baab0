/** Nanoseconds in each unit that Go's time.ParseDuration knows; both signs for micro are in use. */
const UNIT_NS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Go keeps a duration in an int64 of nanoseconds (292 years); a longer one is refused there, and so here. */
const LONGEST_NS = 2n ** 63n - 1n;

const PART = /(\d+(?:\.\d*)?|\.\d+)([^\d.]+)/gy;

/**
 * A Go-style duration ("1m30s", "500ms", "1.5h", "0") in ms, with fractions below one ms.
 * Throws a plain Error that says what is wrong with the text; whoever knows the key adds where it stands.
 */
export function parseDuration(text: string): number {
  if (text.startsWith('-')) throw new Error('a duration cannot be negative');
  const digits = text.startsWith('+') ? text.slice(1) : text;
  if (digits === '0') return 0;
  let totalNs = 0n;
  let parsedTo = 0;
  for (const [whole, amount = '', unit = ''] of digits.matchAll(PART)) {
    const unitNs = Object.hasOwn(UNIT_NS, unit) ? UNIT_NS[unit] : undefined;
    if (unitNs === undefined) throw new Error(`"${unit}" is not a unit of time`);
    totalNs += amountNs(amount, unitNs);
    parsedTo += whole.length;
  }
  if (parsedTo === 0 || parsedTo < digits.length) throw new Error(whatIsMissing(digits, parsedTo));
  if (totalNs > LONGEST_NS) throw new Error('longer than 292 years');
  return Number(totalNs / 1_000_000n) + Number(totalNs % 1_000_000n) / 1e6;
}

/** A duration in ms as the shortest text that parses back to it: 90000 is "1m30s", 3600500 is "1h0.5s". */
export function formatDuration(durationMs: number): string {
  const wholeMs = Math.floor(durationMs);
  if (wholeMs === 0) return formatBelowOneMs(durationMs);
  const hours = Math.floor(wholeMs / 3_600_000);
  const minutes = Math.floor(wholeMs / 60_000) % 60;
  const secondNs = (wholeMs % 60_000) * 1e6 + Math.round((durationMs - wholeMs) * 1e6);
  let text = '';
  if (hours > 0) text += `${hours}h`;
  if (minutes > 0) text += `${minutes}m`;
  if (text === '' && secondNs < 1e9) return `${decimal(secondNs, 6)}ms`;
  if (secondNs > 0) text += `${decimal(secondNs, 9)}s`;
  return text;
}

/** In whole nanoseconds, as Go does it: through floating point 1.001 s would not be 1001 ms. */
function amountNs(amount: string, unitNs: bigint): bigint {
  const [whole = '', fraction = ''] = amount.split('.');
  const scale = 10n ** BigInt(fraction.length);
  return BigInt(whole || '0') * unitNs + (BigInt(fraction || '0') * unitNs) / scale;
}

function whatIsMissing(digits: string, parsedTo: number): string {
  const rest = digits.slice(parsedTo);
  if (digits === '') return 'it is empty';
  return /^[\d.]*\d[\d.]*$/.test(rest) ? `"${rest}" has no unit` : `"${rest}" is not an amount of time`;
}

function formatBelowOneMs(durationMs: number): string {
  const ns = Math.round(durationMs * 1e6);
  if (ns === 0) return '0s';
  return ns < 1000 ? `${ns}ns` : `${decimal(ns, 3)}us`;
}

/** `value` / 10^`places`, without the zeros that say nothing. */
function decimal(value: number, places: number): string {
  const digits = String(value).padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  const whole = digits.slice(0, -places);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
