/**
 * @import { ShownManager } from '../api/status.js'
 * @import { Tone } from './dom.js'
 */
import { get, poll } from './api.js';
import { byId, chip, setText } from './dom.js';
import { count, duration, figure, NOTHING, stranger } from './format.js';
import { overTime } from './over-time.js';
import { shownPast } from './past.js';
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
    { label: 'Probe', make: probeOverTime },
    curveColumn(
      'Latency',
      ({ latencyMs }) => (latencyMs === null ? NOTHING : `${figure(latencyMs)} ms`),
      (moment) => moment?.latencyMs,
    ),
    curveColumn(
      'Channels',
      ({ readyChannels, channels }) => `${readyChannels} of ${channels}`,
      (moment) => moment?.readyChannels,
    ),
    textColumn('In flight', ({ inFlight }) => count(inFlight), 'number'),
  ];
}

/** Which of `managers.addrs` it is, and what its last probe said, if that was no good news. */
function troubleOf(/** @type {ShownManager} */ { manager, address, state, detail }) {
  const trouble = detail.replace(/^manager-gateway: /, '').replace(`manager ${address}: `, '');
  return `manager ${manager}${state === 'healthy' || trouble === '' ? '' : `: ${stranger(trouble)}`}`;
}

/** @typedef {import('../../observe/history.js').ManagerMoment} Moment */

/** How the address stood. @returns {(sample: import('../../observe/history.js').Sample) => Moment | undefined} */
function momentsOf(/** @type {() => string} */ address) {
  return ({ managers }) => managers.find((manager) => manager.address === address());
}

const addressOf = (/** @type {ShownManager} */ { address }) => address;

function probeOverTime() {
  const { node, set } = chip();
  const now = {
    node,
    set: (/** @type {ShownManager} */ { state, forMs }) =>
      set(`${state} for ${duration(forMs)}`, TONES[state] ?? 'none'),
  };
  return overTime(now, addressOf, (address) => {
    const then = momentsOf(address);
    return strip((sample) => then(sample)?.state);
  });
}

/**
 * @param {string} label
 * @param {(manager: ShownManager) => string} textOf
 * @param {(moment: Moment | undefined) => number | null | undefined} figureOf
 * @returns {import('./table.js').Column<ShownManager>}
 */
function curveColumn(label, textOf, figureOf) {
  const make = () =>
    overTime(textColumn(label, textOf).make(), addressOf, (address) => {
      const then = momentsOf(address);
      return sparkline((sample) => figureOf(then(sample)));
    });
  return { label, make };
}

/** @typedef {{ method: string, state: string }} Breaker */

function breakerOverTime() {
  const { node, set } = chip();
  const now = {
    node,
    set: (/** @type {Breaker} */ { state }) => set(state, TONES[state] ?? 'none'),
  };
  return overTime(
    now,
    ({ method }) => method,
    (method) => strip(({ breakers }) => breakers[method()] ?? 'closed'),
  );
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
    { label: 'State', make: breakerOverTime },
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
