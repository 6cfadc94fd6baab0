/**
 * @import { ShownEntry } from '../api/cache.js'
 * @import { Tone } from './dom.js'
 */
import { stranger } from './format.js';

/** What may be done with an answer, in the words of those who wait for it. @type {Record<string, [string, Tone, string]>} */
const FRESHNESS = {
  fresh: ['fresh', 'well', 'served without asking'],
  held: ['held', 'care', 'served; the manager now says something poorer, which the guard holds back'],
  revalidate: ['ageing', 'none', 'served, and asked for behind it'],
  ask: ['stale', 'care', 'asked for first, and served if the manager does not answer'],
  dead: ['expired', 'bad', 'older than cache.maxStale: not served any more'],
};

/** Whose answer, as far as it can be told. */
export function partsInWords(/** @type {readonly string[]} */ parts) {
  const said = parts.filter((part) => part !== '').map(stranger);
  return said.length === 0 ? 'the same for everybody' : said.join(' · ');
}

export function sourceInWords(/** @type {ShownEntry} */ { manager, askedHere }) {
  return askedHere ? `manager ${manager}` : `manager ${manager}, by another replica`;
}

export function freshnessInWords(/** @type {ShownEntry} */ { freshness }) {
  return FRESHNESS[freshness] ?? [freshness, /** @type {Tone} */ ('none'), ''];
}
