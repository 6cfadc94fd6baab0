/**
 * @import { Step } from './past.js'
 */
import { chart } from './chart.js';
import { button, byId } from './dom.js';
import { KINDS, past, setRange, watchPast } from './past.js';

const MINUTE_MS = 60_000;
const RANGES = /** @type {const} */ ([
  [5 * MINUTE_MS, '5 min'],
  [15 * MINUTE_MS, '15 min'],
  [60 * MINUTE_MS, '1 h'],
]);

/** What is counted in a step, by the second, or by `perMs`. */
function rate(/** @type {(step: Step) => number} */ countOf, perMs = 1_000) {
  return (/** @type {Step} */ step) => (countOf(step) * perMs) / step.lengthMs;
}

/** Of the reads that might have gone to the manager, those that did not, in percent; null: there were none. */
export function spared(/** @type {Step} */ { answers }) {
  const away = answers.hit + answers.stale;
  const all = away + answers.miss;
  return all === 0 ? null : (100 * away) / all;
}

function charts() {
  return [
    chart({
      title: 'Answers by kind',
      unit: 'a second',
      stacked: true,
      curves: KINDS.map((kind) => ({
        label: kind,
        colour: `c-${kind}`,
        valueAt: rate(({ answers }) => answers[kind]),
      })),
    }),
    chart({
      title: 'Spared the manager',
      unit: '% of the reads',
      most: 100,
      curves: [{ label: 'spared', colour: 'c-hit', unit: ' %', look: 'area', valueAt: spared }],
    }),
    chart({
      title: 'At the manager',
      unit: 'a second; latency: right',
      rightUnit: 'ms',
      curves: [
        { label: 'attempts', colour: 'c-hit', look: 'steps', valueAt: rate(({ attempts }) => attempts) },
        { label: 'faults', colour: 'c-refused', look: 'steps', valueAt: rate(({ faults }) => faults) },
        {
          label: 'latency',
          colour: 'c-miss',
          unit: ' ms',
          right: true,
          valueAt: ({ meanLatencyMs }) => meanLatencyMs,
        },
      ],
    }),
    chart({
      title: 'Connections and channels',
      unit: 'channels: right',
      rightUnit: 'channels',
      curves: [
        {
          label: 'connections opened a minute',
          colour: 'c-stale',
          look: 'steps',
          valueAt: rate(({ connectionsOpened }) => connectionsOpened, MINUTE_MS),
        },
        { label: 'connections open', colour: 'c-hit', valueAt: ({ connections }) => connections },
        {
          label: 'channels up',
          colour: 'c-forwarded',
          right: true,
          valueAt: ({ channelsReady }) => channelsReady,
        },
        {
          label: 'channels made a minute',
          colour: 'c-miss',
          right: true,
          look: 'steps',
          valueAt: rate(({ channelsCreated }) => channelsCreated, MINUTE_MS),
        },
      ],
    }),
  ];
}

/** Returns what paints them anew when the colours have changed. */
export function wireCurves() {
  const all = charts();
  byId('plots', HTMLDivElement).append(...all.map(({ node }) => node));
  const buttons = RANGES.map(([rangeMs, label]) => ({
    rangeMs,
    node: button(label, () => setRange(rangeMs)),
  }));
  byId('ranges', HTMLFieldSetElement).append(...buttons.map(({ node }) => node));
  const show = () => {
    for (const { rangeMs, node } of buttons)
      node.setAttribute('aria-pressed', String(rangeMs === past.rangeMs));
    for (const { draw } of all) draw();
  };
  watchPast(show);
  return () => {
    for (const { repaint } of all) repaint();
  };
}
