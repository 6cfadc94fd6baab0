/**
 * @import { ShownEntry } from '../api/cache.js'
 */
import { perform } from './act.js';
import { freshnessInWords, partsInWords, sourceInWords } from './answer-words.js';
import { get, poll } from './api.js';
import { button, byId, chip, h, setText } from './dom.js';
import { wireEntry } from './entry.js';
import { bytes, count, duration } from './format.js';
import { liveTable, textColumn } from './table.js';

const METHODS = [
  'ListSchedulers',
  'ListApplications',
  'GetScheduler',
  'GetSeedPeer',
  'ListSeedPeers',
  'GetObjectStorage',
  'ListBuckets',
];
const PAGE = 50;
const MOST = 1_000;
const TYPING_MS = 250;

/** @returns {import('./table.js').Column<ShownEntry>[]} */
function columns(/** @type {(key: string) => void} */ open) {
  return [
    { label: 'Answer', kind: 'name', make: () => nameButton(open) },
    {
      label: 'State',
      make() {
        const { node, set } = chip();
        return { node, set: (entry) => set(...stateOf(entry)) };
      },
    },
    textColumn('Age', ({ ageMs }) => duration(ageMs), 'number'),
    textColumn('Size', ({ sizeBytes }) => bytes(sizeBytes), 'number'),
    textColumn('Uses', ({ uses }) => count(uses), 'number'),
    textColumn('From', sourceInWords),
  ];
}

/** @returns {[string, import('./dom.js').Tone, string]} */
function stateOf(/** @type {ShownEntry} */ entry) {
  const [word, tone, title] = freshnessInWords(entry);
  if (entry.held === null) return [word, tone, title];
  return [`held back: ${entry.held.reason}`, 'care', `for ${duration(entry.held.forMs)}`];
}

function nameButton(/** @type {(key: string) => void} */ open) {
  let key = '';
  const [method, parts] = [h('span', { class: 'what' }), h('bdi', { class: 'muted more' })];
  const element = button('', () => open(key), { class: 'link named', 'aria-haspopup': 'dialog' });
  element.append(method, parts);
  return {
    node: element,
    set(/** @type {ShownEntry} */ entry) {
      key = entry.key;
      const status = entry.status === 'OK' ? '' : ` ${entry.status}`;
      setText(method, `${entry.method} ${entry.version}${status}`);
      setText(parts, partsInWords(entry.parts));
    },
  };
}

const method = byId('cache-method', HTMLSelectElement);
const find = byId('cache-find', HTMLInputElement);
const held = byId('cache-held', HTMLInputElement);
let limit = PAGE;

function asked() {
  const query = new URLSearchParams({ limit: String(limit) });
  if (method.value !== '') query.set('method', method.value);
  if (find.value.trim() !== '') query.set('find', find.value.trim());
  if (held.checked) query.set('held', 'true');
  return `api/cache?${query}`;
}

/** Returns what asks for them. */
export function wireCache() {
  const entry = wireEntry(() => void turn());
  const table = byId('cache-table', HTMLTableElement);
  const fill = liveTable(table, {
    columns: columns((key) => void entry.open(key)),
    keyOf: ({ key }) => key,
    none: 'Nothing of that is remembered.',
    isLoud: (entry) => entry.held !== null,
    // The order is that of the last use: rows must not jump away under the pointer.
    keepsOrder: () => table.matches(':hover') || table.contains(document.activeElement),
  });
  const turn = poll('cache', async () => {
    const path = asked();
    const { entries, ...sums } = await get(path);
    // What was asked before somebody typed on is not what he wants to see.
    if (path === asked()) {
      fill(entries);
      sayHowMany(sums, entries.length);
    }
    await entry.showAgain();
  });
  wireFilter(() => void turn());
  return turn;
}

/**
 * @param {{ count: number, held: number, sizeBytes: number, maxBytes: number, matching: number }} sums
 * @param {number} shown
 */
function sayHowMany(sums, shown) {
  setText(
    byId('cache-count', HTMLSpanElement),
    `${count(sums.count)}, ${bytes(sums.sizeBytes)} of ${bytes(sums.maxBytes)}`,
  );
  setText(byId('cache-held-count', HTMLSpanElement), `(${count(sums.held)})`);
  setText(byId('cache-shown', HTMLSpanElement), `${count(shown)} of ${count(sums.matching)} shown`);
  byId('cache-more', HTMLButtonElement).hidden = shown >= sums.matching || limit >= MOST;
}

function wireFilter(/** @type {() => void} */ turn) {
  const drop = byId('cache-drop', HTMLButtonElement);
  let timer = 0;
  const anew = () => {
    limit = PAGE;
    turn();
  };
  method.append(...METHODS.map((name) => h('option', { value: name }, name)));
  method.addEventListener('change', () => {
    setText(drop, `Drop ${method.value === '' ? 'everything' : `all of ${method.value}`}…`);
    anew();
  });
  held.addEventListener('change', anew);
  find.addEventListener('input', () => {
    clearTimeout(timer);
    timer = window.setTimeout(anew, TYPING_MS);
  });
  byId('cache-filter', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    anew();
  });
  byId('cache-more', HTMLButtonElement).addEventListener('click', () => {
    limit = Math.min(MOST, limit + PAGE);
    turn();
  });
  drop.addEventListener('click', async () => {
    const which = method.value;
    const what = which === '' ? 'everything that is remembered' : `every answer to ${which}`;
    const isDone = await perform({
      path: 'api/cache/drop',
      body: which === '' ? { all: true } : { method: which },
      warn: {
        title: `Drop ${what}?`,
        text: 'It is forgotten here and in Redis. Until the manager has answered anew there is nothing to serve: while it is away, callers get errors.',
        yes: which === '' ? 'Drop everything' : `Drop all of ${which}`,
      },
      done: ({ dropped }) => `${count(dropped)} dropped.`,
    });
    if (isDone) turn();
  });
}
