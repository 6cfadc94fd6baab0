import { h, setText } from './dom.js';

/**
 * @template Item
 * @typedef {{
 *   label: string,
 *   kind?: 'name' | 'number' | 'acts',
 *   make: () => { node: Node, set: (item: Item) => void },
 * }} Column `name` heads its row
 */

/**
 * @template Item
 * @param {string} label
 * @param {(item: Item) => string} textOf
 * @param {'number' | undefined} kind
 * @returns {Column<Item>}
 */
export function textColumn(label, textOf, kind = undefined) {
  const make = () => {
    const node = document.createTextNode('');
    return {
      node,
      set(/** @type {Item} */ item) {
        const text = textOf(item);
        if (node.data !== text) node.data = text;
      },
    };
  };
  return { label, make, ...(kind === undefined ? {} : { kind }) };
}

/**
 * A table that is filled again and again: rows stay who they are, so that neither the focus nor what is selected in them is lost.
 *
 * @template Item
 * @typedef {{
 *   columns: readonly Column<Item>[],
 *   keyOf: (item: Item) => string,
 *   none: string,
 *   isLoud?: (item: Item) => boolean,
 *   keepsOrder?: () => boolean,
 * }} TableOptions `none`: what stands there instead of rows; `isLoud`: to be seen at once; `keepsOrder`: rows stay where they are, now
 */

/**
 * @template Item
 * @param {HTMLTableElement} table
 * @param {TableOptions<Item>} options
 * @returns {(items: readonly Item[]) => void}
 */
export function liveTable(table, { columns, keyOf, none, isLoud = () => false, keepsOrder = () => false }) {
  const { body, empty } = frame(table, columns, none);
  /** @type {Map<string, { row: HTMLTableRowElement, set: (item: Item) => void }>} */
  let rows = new Map();
  const makeRow = () => {
    const cells = columns.map(({ make }) => make());
    const row = h('tr', { role: 'row' }, ...cells.map(({ node }, index) => cellFor(columns[index], node)));
    const set = (/** @type {Item} */ item) => {
      row.classList.toggle('loud', isLoud(item));
      for (const cell of cells) cell.set(item);
    };
    return { row, set };
  };
  const inOrder = (/** @type {readonly Item[]} */ items) => {
    if (!keepsOrder()) return items;
    const places = new Map([...rows.keys()].map((key, place) => [key, place]));
    const placeOf = (/** @type {Item} */ item) => places.get(keyOf(item)) ?? places.size;
    return items.toSorted((one, other) => placeOf(one) - placeOf(other));
  };
  return (items) => {
    const focused = document.activeElement;
    const hadFocus = body.contains(focused);
    /** @type {typeof rows} */
    const next = new Map();
    for (const item of inOrder(items)) {
      const one = rows.get(keyOf(item)) ?? makeRow();
      one.set(item);
      next.set(keyOf(item), one);
    }
    rows = next;
    place(body, next.size === 0 ? [empty] : [...next.values()].map(({ row }) => row));
    if (hadFocus && document.activeElement !== focused) focusNear(table, focused);
  };
}

/**
 * The roles say what the elements say already: at phone width the rows are laid out as blocks, and browsers take their meaning away then.
 *
 * @param {HTMLTableElement} table
 * @param {readonly { label: string, kind?: string }[]} columns
 * @param {string} none
 */
function frame(table, columns, none) {
  const body = h('tbody', { role: 'rowgroup' });
  const heads = columns.map(({ label, kind = '' }) =>
    h('th', { scope: 'col', role: 'columnheader', class: kind }, label),
  );
  const nothing = h('td', { role: 'cell', class: 'none', colspan: String(columns.length) }, none);
  table.setAttribute('role', 'table');
  table.append(h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, ...heads)), body);
  return { body, empty: h('tr', { role: 'row' }, nothing) };
}

/** Only what stands elsewhere is moved: a row that is moved loses the focus. */
function place(/** @type {HTMLElement} */ body, /** @type {readonly HTMLElement[]} */ rows) {
  const wanted = new Set(/** @type {readonly Element[]} */ (rows));
  for (const child of [...body.children]) if (!wanted.has(child)) child.remove();
  rows.forEach((row, index) => {
    const there = body.children[index];
    if (there !== row) body.insertBefore(row, there ?? null);
  });
}

/** The row that was looked at has moved, or is gone: the reader is not sent to the top of the page for that. */
function focusNear(/** @type {HTMLElement} */ table, /** @type {Element | null} */ focused) {
  if (focused instanceof HTMLElement && focused.isConnected) return focused.focus({ preventScroll: true });
  const heading = table.closest('.card')?.querySelector('[tabindex="-1"]');
  if (heading instanceof HTMLElement) heading.focus({ preventScroll: true });
}

/**
 * @param {{ label: string, kind?: string } | undefined} column
 * @param {Node} node
 */
function cellFor(column, node) {
  const { label = '', kind = '' } = column ?? {};
  const isName = kind === 'name';
  const attributes = { class: kind, 'data-label': label, role: isName ? 'rowheader' : 'cell' };
  const cell = isName ? h('th', { ...attributes, scope: 'row' }, node) : h('td', attributes, node);
  return cell;
}

/** A name and, smaller, what else there is to say of it. */
export function nameCell() {
  const [name, more] = [h('bdi', { class: 'what' }), h('span', { class: 'muted more' })];
  const node = h('span', { class: 'named' }, name, more);
  return {
    node,
    set(/** @type {string} */ text, /** @type {string} */ said) {
      setText(name, text);
      setText(more, said);
      more.hidden = said === '';
    },
  };
}
