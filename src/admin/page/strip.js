import { svg } from './dom.js';
import { clockTime, duration } from './format.js';
import { past, shownPast } from './past.js';

const WIDTH = 1_000;

/**
 * How one thing stood over time, as a strip of colours; said in words for those who do not see it.
 *
 * @param {(sample: import('../../observe/history.js').Sample) => string | undefined} stateOf undefined: not known then
 */
export function strip(stateOf) {
  const node = svg('svg', {
    class: 'strip',
    viewBox: `0 0 ${WIDTH} 10`,
    preserveAspectRatio: 'none',
    role: 'img',
  });
  return {
    node,
    draw() {
      const { fromMs, toMs, samples } = shownPast();
      const runs = runsOf(
        samples.map((sample) => ({ untilMs: sample.atWallMs, state: stateOf(sample) })),
        fromMs,
      );
      const x = (/** @type {number} */ ms) =>
        Math.round((WIDTH * (ms - fromMs)) / Math.max(1, toMs - fromMs));
      node.replaceChildren(
        ...runs.map(({ state, sinceMs, untilMs }) =>
          svg(
            'rect',
            {
              class: `state-${state}`,
              x: x(sinceMs),
              y: 0,
              width: Math.max(1, x(untilMs) - x(sinceMs)),
              height: 10,
            },
            svg('title', {}, `${state} ${clockTime(new Date(sinceMs))} – ${clockTime(new Date(untilMs))}`),
          ),
        ),
      );
      node.setAttribute('aria-label', inWords(runs));
    },
  };
}

/** @typedef {{ state: string, sinceMs: number, untilMs: number }} Run */

/**
 * @param {readonly { untilMs: number, state: string | undefined }[]} moments
 * @param {number} fromMs
 */
function runsOf(moments, fromMs) {
  /** @type {Run[]} */
  const runs = [];
  for (const { untilMs, state } of moments) {
    if (state === undefined) continue;
    const last = runs.at(-1);
    if (last?.state === state && untilMs - last.untilMs < 3 * past.stepMs) last.untilMs = untilMs;
    else runs.push({ state, sinceMs: Math.max(fromMs, untilMs - past.stepMs), untilMs });
  }
  return runs;
}

function inWords(/** @type {readonly Run[]} */ runs) {
  if (runs.length === 0) return 'nothing is known yet';
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const { state, sinceMs, untilMs } of runs) {
    sums.set(state, (sums.get(state) ?? 0) + untilMs - sinceMs);
  }
  return [...sums].map(([state, ms]) => `${state} for ${duration(ms)}`).join(', ');
}

/**
 * A small curve without axes; beside it stands the figure.
 *
 * @param {(sample: import('../../observe/history.js').Sample) => number | null | undefined} valueAt
 */
export function sparkline(valueAt) {
  const line = svg('polyline', { fill: 'none', 'vector-effect': 'non-scaling-stroke' });
  const node = svg(
    'svg',
    { class: 'spark', viewBox: `0 0 ${WIDTH} 100`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    line,
  );
  return {
    node,
    draw() {
      const { fromMs, toMs, samples } = shownPast();
      const points = samples.flatMap((sample) => {
        const value = valueAt(sample);
        return value === null || value === undefined ? [] : [{ atMs: sample.atWallMs, value }];
      });
      const most = Math.max(1, ...points.map(({ value }) => value));
      const x = (/** @type {number} */ ms) =>
        Math.round((WIDTH * (ms - fromMs)) / Math.max(1, toMs - fromMs));
      const text = points.map(({ atMs, value }) => `${x(atMs)},${Math.round(96 - (92 * value) / most)}`);
      line.setAttribute('points', text.join(' '));
    },
  };
}
