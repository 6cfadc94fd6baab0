const counts = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const decimals = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** What is not known. */
export const NOTHING = '–';

export function count(/** @type {number} */ number) {
  return counts.format(number);
}

/** With one digit more where it says something. */
export function figure(/** @type {number | null} */ number) {
  if (number === null) return NOTHING;
  return Math.abs(number) < 100 ? decimals.format(number) : counts.format(number);
}

export function percent(/** @type {number} */ part, /** @type {number} */ whole) {
  return whole === 0 ? NOTHING : `${Math.floor((100 * part) / whole)} %`;
}

export function bytes(/** @type {number} */ number) {
  if (number < 1_024) return `${number} B`;
  if (number < 1_024 ** 2) return `${figure(number / 1_024)} KiB`;
  return `${figure(number / 1_024 ** 2)} MiB`;
}

/** A length of time in at most two units. */
export function duration(/** @type {number | null} */ ms) {
  if (ms === null) return NOTHING;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return two(minutes, 'min', seconds % 60, 's');
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24
    ? two(hours, 'h', minutes % 60, 'min')
    : two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/**
 * @param {number} large
 * @param {string} unit
 * @param {number} small
 * @param {string} smallUnit
 */
function two(large, unit, small, smallUnit) {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`;
}

/** The time of day where the reader is. */
export function clockTime(/** @type {Date} */ date, withSeconds = true) {
  const parts = [date.getHours(), date.getMinutes(), ...(withSeconds ? [date.getSeconds()] : [])];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

/** The day where the reader is, as in ISO 8601. */
export function day(/** @type {Date} */ date) {
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-');
}

/** What would not be seen, or would turn round what stands beside it: control characters, directions, joiners. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Text of strangers, with nothing hidden in it. */
export function stranger(/** @type {string} */ text) {
  return text.replace(UNSEEN, (unseen) => `\\u{${unseen.codePointAt(0)?.toString(16)}}`);
}

/** The same for text of several lines. */
export function strangerLines(/** @type {string} */ text) {
  return text.split('\n').map(stranger).join('\n');
}
