/** @import { Step } from './past.js' */
import { h, setText } from './dom.js';
import { clockTime, figure, NOTHING } from './format.js';
import { shownPast, shownSteps } from './past.js';
import uPlot from './uplot.js';

/**
 * @typedef {{
 *   label: string,
 *   colour: string,
 *   valueAt: (step: Step) => number | null,
 *   unit?: string,
 *   right?: boolean,
 *   look?: 'line' | 'area' | 'steps',
 * }} Curve `colour`: the class that has it; `right`: by the scale on the right
 *
 * @typedef {{ title: string, unit: string, rightUnit?: string, curves: readonly Curve[], stacked?: boolean, most?: number }} ChartOptions
 * `stacked`: one upon the other, the first at the bottom
 */

const HEIGHT = 150;
const SCALE_WIDTH = 42;
/** Steps of a scale that one digit behind the point can say. */
const STEPS = [0.1, 0.2, 0.5, ...[1, 10, 100, 1_000, 10_000].flatMap((ten) => [ten, 2 * ten, 5 * ten])];

/** One diagram with a legend that says the figures: the newest, or those under the pointer. */
export function chart(/** @type {ChartOptions} */ options) {
  const legend = legendOf(options.curves);
  const plot = h('div', { class: 'plot', 'aria-hidden': 'true' });
  const [unit, at] = [h('span', { class: 'muted' }, ` ${options.unit}`), h('span', { class: 'muted' })];
  const node = h('figure', {}, h('figcaption', {}, h('h3', {}, options.title), unit, at), plot, legend.node);
  /** @type {uPlot | undefined} */
  let drawing;
  /** @type {readonly Step[]} */
  let steps = [];

  const say = (/** @type {number | null | undefined} */ index) => {
    const pointed = index === null || index === undefined ? undefined : steps[index];
    legend.say(pointed ?? steps.at(-1));
    setText(at, pointed === undefined ? '' : ` at ${clockTime(new Date(pointed.atWallMs))}`);
  };
  const make = () => {
    drawing?.destroy();
    const width = Math.max(120, plot.clientWidth);
    const around = { width, colourOf: legend.colourOf, node, say };
    drawing = new uPlot(plotOptions(options, around), dataOf(options, steps), plot);
  };
  new ResizeObserver(() => {
    if (drawing && plot.clientWidth > 0) drawing.setSize({ width: plot.clientWidth, height: HEIGHT });
  }).observe(plot);

  return {
    node,
    /** With other colours. */
    repaint: make,
    draw() {
      steps = shownSteps();
      if (drawing === undefined) make();
      else drawing.setData(dataOf(options, steps));
      say(drawing?.cursor.idx);
    },
  };
}

function legendOf(/** @type {readonly Curve[]} */ curves) {
  const items = curves.map(({ label, colour }) => {
    const [swatch, value] = [h('i', { class: colour }), h('b')];
    return { swatch, value, node: h('li', {}, swatch, `${label} `, value) };
  });
  return {
    node: h('ul', { class: 'legend' }, ...items.map(({ node }) => node)),
    colourOf(/** @type {number} */ nth) {
      const swatch = items[nth]?.swatch;
      return swatch === undefined ? '' : getComputedStyle(swatch).color;
    },
    say(/** @type {Step | undefined} */ step) {
      curves.forEach(({ valueAt, unit = '' }, nth) => {
        const value = step === undefined ? null : valueAt(step);
        const said = items[nth]?.value;
        if (said) setText(said, value === null ? NOTHING : `${figure(value)}${unit}`);
      });
    },
  };
}

/**
 * @param {ChartOptions} options
 * @param {readonly Step[]} steps
 * @returns {uPlot.AlignedData}
 */
function dataOf({ curves, stacked }, steps) {
  const times = steps.map(({ atWallMs }) => atWallMs / 1_000);
  const values = curves.map(({ valueAt }) => steps.map(valueAt));
  if (!stacked) return [times, ...values];
  for (let nth = 1; nth < values.length; nth++) {
    values[nth] = values[nth]?.map((value, index) => (value ?? 0) + (values[nth - 1]?.[index] ?? 0)) ?? [];
  }
  // The highest is drawn first, and the others over it.
  return [times, ...values.reverse()];
}

/**
 * @param {ChartOptions} options
 * @param {{ width: number, colourOf: (nth: number) => string, node: HTMLElement, say: (index: number | null | undefined) => void }} around
 * @returns {uPlot.Options}
 */
function plotOptions({ curves, stacked = false, most, rightUnit }, { width, colourOf, node, say }) {
  const style = getComputedStyle(node);
  const [ink, line] = [style.getPropertyValue('color'), style.getPropertyValue('border-top-color')];
  const font = `11px ${style.fontFamily}`;
  const series = curves.map((curve, nth) => seriesOf(curve, colourOf(nth), stacked));
  const axis = { stroke: ink, font, grid: { stroke: line, width: 1 }, ticks: { show: false }, gap: 4 };
  const values = (/** @type {uPlot} */ _, /** @type {number[]} */ splits) =>
    splits.map((split) => figure(split));
  /** @type {uPlot.Scale.Range} */
  const fromZero = (_, _least, highest) => [0, most ?? Math.max(1, (highest ?? 0) * 1.08)];
  return {
    width,
    height: HEIGHT,
    // The last time is written under the end of the scale, half of it beyond.
    padding: [8, rightUnit === undefined ? 20 : 0, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: 'past' },
      drag: { x: false, y: false },
      y: false,
      points: { show: !stacked, size: 6 },
    },
    scales: {
      x: { time: true, range: () => [shownPast().fromMs / 1_000, shownPast().toMs / 1_000] },
      y: { range: fromZero },
      ...(rightUnit === undefined ? {} : { right: { range: fromZero } }),
    },
    axes: [
      {
        ...axis,
        size: 24,
        grid: { show: false },
        space: 70,
        values: (_, splits) => timesOf(splits),
      },
      { ...axis, size: SCALE_WIDTH, values, space: 28, incrs: STEPS },
      ...(rightUnit === undefined
        ? []
        : [
            {
              ...axis,
              scale: 'right',
              side: /** @type {const} */ (1),
              size: SCALE_WIDTH,
              values,
              space: 28,
              incrs: STEPS,
              grid: { show: false },
            },
          ]),
    ],
    series: [{}, ...(stacked ? series.reverse() : series)],
    hooks: { setCursor: [(drawing) => say(drawing.cursor.idx)] },
  };
}

/** With seconds where minutes would be said twice. */
function timesOf(/** @type {readonly number[]} */ splits) {
  const [first = 0, second = first] = splits;
  return splits.map((at) => clockTime(new Date(at * 1_000), second - first < 60));
}

/**
 * @param {Curve} curve
 * @param {string} colour
 * @param {boolean} stacked
 * @returns {uPlot.Series}
 */
function seriesOf({ look = 'line', right = false }, colour, stacked) {
  const steps = uPlot.paths.stepped?.({ align: -1 });
  return {
    scale: right ? 'right' : 'y',
    stroke: colour,
    width: stacked ? 0 : 1.5,
    points: { show: false },
    ...(stacked
      ? { fill: colour }
      : look === 'area'
        ? { fill: `color-mix(in srgb, ${colour} 18%, transparent)` }
        : {}),
    ...((stacked || look === 'steps') && steps !== undefined ? { paths: steps } : {}),
  };
}
