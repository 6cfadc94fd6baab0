/** @import { Status } from '../api/status.js' */
import { byId, setFacts, setText } from './dom.js';
import { bytes, count, duration, percent, stranger } from './format.js';

/** @type {Record<string, string>} */
const WORDS = { well: 'Well', care: 'Take care', bad: 'Bad' };

let saidBefore = '';

/** The sentence is read out when it says something else, not whenever a figure in it has changed. */
function sayAloud(/** @type {string} */ word, /** @type {string} */ sentence) {
  const meaning = `${word} ${sentence}`.replace(/\d[\d,.]*/g, '#');
  if (meaning === saidBefore) return;
  saidBefore = meaning;
  setText(byId('sentence-said', HTMLParagraphElement), `${word}: ${sentence}`);
}

export function showHealth(/** @type {Status} */ status) {
  const word = WORDS[status.health] ?? status.health;
  const sentence = stranger(status.sentence);
  byId('health', HTMLElement).dataset.health = status.health;
  setText(byId('health-word', HTMLElement), word);
  setText(byId('sentence-text', HTMLSpanElement), sentence);
  sayAloud(word, sentence);
  byId('another', HTMLDivElement).hidden = status.anotherManager === null;
  setText(byId('another-why', HTMLSpanElement), stranger(status.anotherManager ?? ''));
  setText(byId('fleet', HTMLSpanElement), status.fleetId);
  const named = status.fleetId === '' ? '' : ` – ${status.fleetId}`;
  document.title = `${word}${named} – manager-gateway`;
  setFacts(byId('facts', HTMLDListElement), factsOf(status));
  setText(byId('about', HTMLSpanElement), `manager-gateway ${status.version}, up ${duration(status.upMs)}`);
}

/** @returns {[string, string][]} */
function factsOf(
  /** @type {Status} */ { lastHour, connections, cache, nodes, pendingRegistrations, mode, notReady },
) {
  const spared = `${percent(lastHour.spared, lastHour.reads)} of ${count(lastHour.reads)} reads`;
  return [
    ['Spared the manager, last hour', spared],
    ['Mode', mode],
    ['Callers’ connections', count(connections)],
    ['Remembered', `${count(cache.entries)} answers, ${bytes(cache.sizeBytes)}`],
    [
      'Live nodes',
      nodes.disputed === 0 ? count(nodes.live) : `${count(nodes.live)}, ${count(nodes.disputed)} disputed`,
    ],
    ['Registrations waiting', count(pendingRegistrations)],
    ...(notReady === null ? [] : [/** @type {[string, string]} */ (['Not ready', notReady])]),
  ];
}
