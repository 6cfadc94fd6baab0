/** @import { Step } from './past.js' */
import { spared } from './curves.js';
import { byId } from './dom.js';
import { clockTime, count, figure, NOTHING } from './format.js';
import { KINDS, shownPast, stepsOf, watchPast } from './past.js';
import { liveTable, textColumn } from './table.js';

const MINUTE_MS = 60_000;

/**
 * @param {string} label
 * @param {(step: Step) => number | null} valueAt
 */
function column(label, valueAt, unit = '') {
  const inWords = (/** @type {Step} */ step) => {
    const value = valueAt(step);
    return value === null ? NOTHING : `${unit === '' ? count(value) : figure(value)}${unit}`;
  };
  return textColumn(label, inWords, 'number');
}

/** What the curves show, for those who do not see them, or want to copy it. */
export function wireFigures() {
  const details = byId('figures', HTMLDetailsElement);
  const fill = liveTable(byId('figures-table', HTMLTableElement), {
    columns: [
      textColumn('Until', ({ atWallMs }) => clockTime(new Date(atWallMs))),
      ...KINDS.map((kind) => column(kind, ({ answers }) => answers[kind])),
      column('spared', spared, ' %'),
      column('attempts', ({ attempts }) => attempts),
      column('faults', ({ faults }) => faults),
      column('latency', ({ meanLatencyMs }) => meanLatencyMs, ' ms'),
      column('connections opened', ({ connectionsOpened }) => connectionsOpened),
      column('open', ({ connections }) => connections),
      column('channels', ({ channelsReady }) => channelsReady),
    ],
    keyOf: ({ atWallMs }) => String(Math.floor((atWallMs - 1) / MINUTE_MS)),
    none: 'Nothing was counted yet.',
  });
  const show = () => {
    if (details.open) fill(stepsOf(shownPast().samples, MINUTE_MS).reverse());
  };
  watchPast(show);
  details.addEventListener('toggle', show);
}
