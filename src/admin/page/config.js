/** @import { Status } from '../api/status.js' */
import { perform } from './act.js';
import { get } from './api.js';
import { byId, setFacts, setText } from './dom.js';
import { bytes, duration, stranger, strangerLines } from './format.js';
import { moment } from './past.js';

const readAgain = byId('config-reload', HTMLButtonElement);

/** What runs, as keys and values. Returns what asks for it, if somebody looks. */
export function wireConfig(/** @type {() => void} */ changed) {
  const details = byId('config-details', HTMLDetailsElement);
  const list = byId('config-list', HTMLDListElement);
  const turn = async () => {
    if (!details.open) return;
    const { config } = await get('api/config');
    setFacts(list, [...flat('', config)]);
  };
  const quietly = () => void turn().catch(() => undefined);
  details.addEventListener('toggle', quietly);
  readAgain.addEventListener('click', async () => {
    await perform({ path: 'api/reload', done: readInWords });
    changed();
    quietly();
  });
  return quietly;
}

/** @param {{ applied: readonly string[], needRestart: readonly string[] }} change */
function readInWords({ applied, needRestart }) {
  const taken =
    applied.length === 0 ? 'nothing has changed that can change now' : `new: ${applied.join(', ')}`;
  return `The configuration was read: ${taken}${needRestart.length === 0 ? '.' : `; for a restart: ${needRestart.join(', ')}.`}`;
}

/** Whether what runs is what the file says. */
export function showConfigState(/** @type {Status} */ { configuration: { readAt, refused, needRestart } }) {
  setText(byId('config-read', HTMLParagraphElement), `What runs was read at ${moment(new Date(readAt))}.`);
  byId('config-refused', HTMLDivElement).hidden = refused === null;
  if (refused !== null) {
    setText(byId('config-refused-at', HTMLSpanElement), moment(new Date(refused.at)));
    setText(byId('config-refused-why', HTMLPreElement), strangerLines(refused.detail));
  }
  const restart = byId('config-restart', HTMLParagraphElement);
  restart.hidden = needRestart.length === 0;
  setText(restart, `Changed, and for the next restart: ${needRestart.map(stranger).join(', ')}.`);
}

/**
 * Keys as they stand in the file: units are said with the values.
 *
 * @param {string} path
 * @param {unknown} value
 * @returns {Iterable<[key: string, said: string]>}
 */
function* flat(path, value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    yield [path.replace(/Ms$/, ''), inWords(path, value)];
    return;
  }
  for (const [key, inner] of Object.entries(value)) yield* flat(path === '' ? key : `${path}.${key}`, inner);
}

/** @returns {string} */
function inWords(/** @type {string} */ path, /** @type {unknown} */ value) {
  if (typeof value === 'string') return value === '' ? '(not set)' : stranger(value);
  if (typeof value === 'number' && path.endsWith('Ms')) return duration(value);
  if (typeof value === 'number' && path.endsWith('Bytes')) return bytes(value);
  if (Array.isArray(value))
    return value.length === 0 ? '(none)' : value.map((one) => inWords('', one)).join(', ');
  // An address, as it was written.
  if (isObject(value) && typeof value.text === 'string') return stranger(value.text);
  return stranger(JSON.stringify(value));
}

/** @returns {value is Record<string, unknown>} */
function isObject(/** @type {unknown} */ value) {
  return typeof value === 'object' && value !== null;
}
