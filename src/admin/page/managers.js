/**
 * @import { ShownManager } from '../api/status.js'
 * @import { Tone } from './dom.js'
 */
import { get, poll } from './api.js';
import { byId, chip, h, setText } from './dom.js';
import { count, duration, figure, NOTHING, stranger } from './format.js';
import { shownPast, watchPast } from './past.js';
import { sparkline, strip } from './strip.js';
import { liveTable, nameCell, textColumn } from './table.js';

/** @type {Record<string, Tone>} */
const TONES = {
  healthy: 'well',
  slow: 'care',
  failed: 'bad',
  closed: 'well',
  'half-open': 'care',
  open: 'bad',
};

/** Strips and small curves that are in the page now. @type {Set<() => void>} */
const drawn = new Set();

/** @returns {import('./table.js').Column<ShownManager>[]} */
function columns() {
  return [
    {
      label: 'Address',
      kind: 'name',
      make() {
        const { node, set } = nameCell();
        return {
          node,
          set: (manager) => set(manager.address, troubleOf(manager)),
        };
      },
    },
    {
      label: 'Probe',
      make() {
        const { node, set } = chip();
        return {
          node,
          set: ({ state, forMs }) => set(`${state} for ${duration(forMs)}`, TONES[state] ?? 'none'),
        };
      },
    },
    textColumn(
      'Latency',
      ({ latencyMs }) => (latencyMs === null ? NOTHING : `${figure(latencyMs)} ms`),
      'number',
    ),
    textColumn('Channels', ({ readyChannels, channels }) => `${readyChannels} of ${channels}`, 'number'),
    textColumn('In flight', ({ inFlight }) => count(inFlight), 'number'),
    { label: 'Over time', make: overTime },
  ];
}

/** Which of `managers.addrs` it is, and what its last probe said, if that was no good news. */
function troubleOf(/** @type {ShownManager} */ { manager, address, state, detail }) {
  const trouble = detail.replace(/^manager-gateway: /, '').replace(`manager ${address}: `, '');
  return `manager ${manager}${state === 'healthy' || trouble === '' ? '' : `: ${stranger(trouble)}`}`;
}

/** Probe's state and latency as they were; drawn anew with each sample. */
function overTime() {
  let address = '';
  const then = (/** @type {import('../../observe/history.js').Sample} */ { managers }) =>
    managers.find((manager) => manager.address === address);
  const [states, latency] = [
    strip((sample) => then(sample)?.state),
    sparkline((sample) => then(sample)?.latencyMs),
  ];
  const node = h('span', { class: 'over-time' }, latency.node, states.node);
  const draw = () => {
    // A row that is gone takes its curves with it.
    if (address !== '' && !node.isConnected) return void drawn.delete(draw);
    latency.draw();
    states.draw();
  };
  return {
    node,
    set(/** @type {ShownManager} */ manager) {
      if (address === manager.address) return;
      address = manager.address;
      drawn.add(draw);
      queueMicrotask(draw);
    },
  };
}

/** @typedef {{ method: string, state: string }} Breaker */

function breakerOverTime() {
  let method = '';
  const states = strip(({ breakers }) => breakers[method] ?? 'closed');
  const draw = () => {
    if (method !== '' && !states.node.isConnected) return void drawn.delete(draw);
    states.draw();
  };
  return {
    node: h('span', { class: 'over-time' }, states.node),
    set(/** @type {Breaker} */ breaker) {
      if (method === breaker.method) return;
      method = breaker.method;
      drawn.add(draw);
      queueMicrotask(draw);
    },
  };
}

/** @returns {import('./table.js').Column<Breaker>[]} */
function breakerColumns() {
  return [
    {
      label: 'Method',
      kind: 'name',
      make() {
        const { node, set } = nameCell();
        return { node, set: ({ method }) => set(method, '') };
      },
    },
    {
      label: 'Now',
      make() {
        const { node, set } = chip();
        return { node, set: ({ state }) => set(state, TONES[state] ?? 'none') };
      },
    },
    { label: 'Over time', make: breakerOverTime },
  ];
}

/** The managers' addresses, and the breakers. Returns what asks for them. */
export function wireManagers() {
  const fill = liveTable(byId('managers-table', HTMLTableElement), {
    columns: columns(),
    keyOf: ({ manager, address }) => `${manager} ${address}`,
    none: 'No address is resolved yet.',
    isLoud: ({ state }) => state === 'failed',
  });
  const breakerTable = byId('breakers-table', HTMLTableElement);
  const fillBreakers = liveTable(breakerTable, {
    columns: breakerColumns(),
    keyOf: ({ method }) => method,
    none: '',
  });
  watchPast(() => {
    for (const draw of [...drawn]) draw();
  });
  return poll('managers', async () => {
    const [{ managers }, { breakers }] = await Promise.all([get('api/managers'), get('api/breakers')]);
    fill(managers);
    const troubled = ofInterest(breakers);
    breakerTable.hidden = troubled.length === 0;
    fillBreakers(troubled);
    setText(byId('breakers-closed', HTMLParagraphElement), closedInWords(breakers, troubled.length));
  });
}

/** Those that are not closed, and those that were not in the time that is shown. */
function ofInterest(/** @type {readonly Breaker[]} */ breakers) {
  const { samples } = shownPast();
  const opened = new Set(samples.flatMap((sample) => Object.keys(sample.breakers)));
  return breakers.filter(({ method, state }) => state !== 'closed' || opened.has(method));
}

function closedInWords(/** @type {readonly Breaker[]} */ breakers, /** @type {number} */ shown) {
  const closed = breakers.length - shown;
  if (breakers.length === 0) return 'Nothing was asked for yet.';
  if (closed === 0) return '';
  const of = shown === 0 ? (closed === 1 ? 'The one' : `All ${closed}`) : `The other ${closed}`;
  return `${of} ${closed === 1 ? 'is' : 'are'} closed, and ${closed === 1 ? 'was' : 'were'} so all the time that is shown.`;
}
