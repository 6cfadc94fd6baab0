import { get } from './api.js';
import { byId, setFacts } from './dom.js';
import { bytes, duration, stranger } from './format.js';

/** What runs, as keys and values. Returns what asks for it, if somebody looks. */
export function wireConfig() {
  const details = byId('config-details', HTMLDetailsElement);
  const list = byId('config-list', HTMLDListElement);
  const turn = async () => {
    if (!details.open) return;
    const { config } = await get('api/config');
    setFacts(list, [...flat('', config)]);
  };
  const quietly = () => void turn().catch(() => undefined);
  details.addEventListener('toggle', quietly);
  return quietly;
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
