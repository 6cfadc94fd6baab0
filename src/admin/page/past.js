/** @import { Sample } from '../../observe/history.js' */
import { clockTime, day } from './format.js';

const KEPT = 720;
/** Of a curve. */
const POINTS = 60;

/** How callers were answered, the first at the bottom of the diagram. */
export const KINDS = /** @type {const} */ (['hit', 'stale', 'miss', 'forwarded', 'local', 'refused']);

/** A curve of a few points says nothing; a page that is opened at the start of the gateway shows so much. */
const LEAST_MS = 60_000;

/** The hour that has passed, and how much of it is shown. */
export const past = {
  stepMs: 5_000,
  rangeMs: 15 * 60_000,
  /** @type {Sample[]} oldest first */
  samples: [],
};

/** @type {(() => void)[]} */
const told = [];

/** Told when there is more to show, or another stretch of it. */
export function watchPast(/** @type {() => void} */ changed) {
  told.push(changed);
}

function tellAll() {
  for (const one of told) one();
}

/** What was told since the connection is there; it may be told before the hour is answered. @type {Sample[]} */
let toldSince = [];

/** A connection is there, again: to another process maybe, with another past. */
export function beginPast() {
  toldSince = [];
}

export function setPast(/** @type {{ stepMs: number, samples: Sample[] }} */ { stepMs, samples }) {
  const lastMs = samples.at(-1)?.atWallMs ?? 0;
  past.stepMs = stepMs;
  past.samples = [...samples, ...toldSince.filter(({ atWallMs }) => atWallMs > lastMs)];
  toldSince = [];
  tellAll();
}

export function addSample(/** @type {Sample} */ sample) {
  toldSince.push(sample);
  if (toldSince.length > KEPT) toldSince.shift();
  const last = past.samples.at(-1);
  // It may have come with the whole hour already.
  if (last !== undefined && last.atWallMs >= sample.atWallMs) return;
  past.samples.push(sample);
  if (past.samples.length > KEPT) past.samples.shift();
  tellAll();
}

export function setRange(/** @type {number} */ rangeMs) {
  past.rangeMs = rangeMs;
  tellAll();
}

/**
 * What happened in a longer step; how things stood at its end.
 *
 * @typedef {Sample & { lengthMs: number }} Step
 */

/** Samples put together, so that there are no more points than can be told apart. */
export function stepsOf(/** @type {readonly Sample[]} */ samples, /** @type {number} */ stepMs) {
  /** @type {Step[]} */
  const steps = [];
  let nth = -1;
  for (const sample of samples) {
    // A sample tells of the time before it.
    const its = Math.floor((sample.atWallMs - 1) / stepMs);
    const last = steps.at(-1);
    const one = { ...sample, lengthMs: past.stepMs };
    if (last === undefined || its !== nth) steps.push(one);
    else steps[steps.length - 1] = together(last, one);
    nth = its;
  }
  return steps;
}

/** @returns {Step} */
function together(/** @type {Step} */ one, /** @type {Step} */ next) {
  const attempts = one.attempts + next.attempts;
  const latencySumMs = one.attempts * (one.meanLatencyMs ?? 0) + next.attempts * (next.meanLatencyMs ?? 0);
  const answers = { ...next.answers };
  for (const kind of KINDS) answers[kind] += one.answers[kind];
  return {
    ...next,
    answers,
    attempts,
    faults: one.faults + next.faults,
    meanLatencyMs: attempts === 0 ? null : latencySumMs / attempts,
    connectionsOpened: one.connectionsOpened + next.connectionsOpened,
    channelsCreated: one.channelsCreated + next.channelsCreated,
    lengthMs: one.lengthMs + next.lengthMs,
  };
}

/** A time of day, and which day where it is not that of the last sample. */
export function moment(/** @type {Date} */ date) {
  const its = day(date);
  return its === today() ? clockTime(date) : `${its} ${clockTime(date)}`;
}

/** By the gateway's clock. */
export function today() {
  return day(new Date(past.samples.at(-1)?.atWallMs ?? Date.now()));
}

/** The steps of what is shown. */
export function shownSteps() {
  return stepsOf(shownPast().samples, past.rangeMs / POINTS);
}

/** What is shown: from and to, Unix ms, and the samples between. By the gateway's clock, which need not be the reader's. */
export function shownPast() {
  const last = past.samples.at(-1);
  const toMs = last?.atWallMs ?? Date.now();
  const startMs = (past.samples[0]?.atWallMs ?? toMs) - past.stepMs;
  const fromMs = Math.max(toMs - past.rangeMs, Math.min(startMs, toMs - LEAST_MS));
  return { fromMs, toMs, samples: past.samples.filter(({ atWallMs }) => atWallMs > fromMs) };
}
