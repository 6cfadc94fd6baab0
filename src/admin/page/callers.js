/** @import { ShownCaller } from '../api/callers.js' */
import { get, poll } from './api.js';
import { byId, chip, h, setText } from './dom.js';
import { count, duration, figure, stranger } from './format.js';
import { liveTable, nameCell, textColumn } from './table.js';

/** @returns {import('./table.js').Column<ShownCaller>[]} */
function columns() {
  return [
    {
      label: 'Address',
      kind: 'name',
      make() {
        const [{ node: name, set }, churns] = [nameCell(), chip()];
        const node = h('span', { class: 'with-chip' }, name, churns.node);
        return {
          node,
          set(caller) {
            set(stranger(caller.address), caller.kind === '' ? 'has not called yet' : stranger(caller.kind));
            churns.set('churns', 'care', 'opens connections again and again instead of keeping them');
            churns.node.hidden = !caller.churns;
          },
        };
      },
    },
    textColumn('Open', ({ open }) => count(open), 'number'),
    textColumn('A minute', ({ connectionsPerMinute }) => figure(connectionsPerMinute), 'number'),
    textColumn('Usual', ({ usualPerMinute }) => figure(usualPerMinute), 'number'),
    textColumn('In all', ({ openedTotal }) => count(openedTotal), 'number'),
    textColumn('Last', ({ lastOpenedAgoMs }) => `${duration(lastOpenedAgoMs)} ago`, 'number'),
  ];
}

/** Returns what asks for them. */
export function wireCallers() {
  const fill = liveTable(byId('callers-table', HTMLTableElement), {
    columns: columns(),
    keyOf: ({ address }) => address,
    none: 'Nobody has connected yet.',
    isLoud: ({ churns }) => churns,
  });
  return poll('callers', async () => {
    /** @type {{ count: number, callers: ShownCaller[] }} */
    const { count: all, callers } = await get('api/callers');
    setText(byId('callers-count', HTMLSpanElement), inWords(all, callers));
    fill(callers);
  });
}

function inWords(/** @type {number} */ all, /** @type {readonly ShownCaller[]} */ callers) {
  const churners = callers.filter(({ churns }) => churns).length;
  const shown = callers.length < all ? `, the first ${count(callers.length)} of them here` : '';
  return `${count(all)}${churners === 0 ? '' : `, ${count(churners)} of them ${churners === 1 ? 'opens' : 'open'} again and again`}${shown}`;
}
