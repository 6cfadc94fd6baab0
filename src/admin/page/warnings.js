/** @import { Warning } from '../api/warnings.js' */
import { byId, chip, h, setText } from './dom.js';
import { count, strangerLines } from './format.js';
import { moment, today, watchPast } from './past.js';

const KEPT = 200;

/** @type {Map<number, ReturnType<typeof makeLine>>} */
const lines = new Map();
const list = byId('warnings-list', HTMLOListElement);

function makeLine() {
  const [time, text, event, { node: level, set: setLevel }] = [
    h('time'),
    h('bdi', { class: 'said' }),
    h('span', { class: 'muted' }),
    chip(),
  ];
  /** @type {Warning | undefined} */
  let said;
  const line = {
    node: h('li', {}, time, level, h('span', { class: 'words' }, text, ' ', event)),
    set(/** @type {Warning} */ warning) {
      said = warning;
      const [first, last] = [new Date(warning.firstAt), new Date(warning.at)];
      time.dateTime = warning.at;
      setText(time, moment(last));
      setLevel(warning.level, warning.level === 'warn' ? 'care' : 'bad');
      setText(text, strangerLines(warning.text));
      const often = warning.count === 1 ? '' : ` × ${count(warning.count)} since ${moment(first)}`;
      setText(event, `${warning.event}${often}`);
    },
    again() {
      if (said !== undefined) line.set(said);
    },
  };
  return line;
}

/** What was told since the connection is there; it may be told before the rest is asked for. @type {Map<number, Warning>} */
let toldSince = new Map();

/** A connection is there, again: to another process maybe, whose numbers begin anew. */
export function beginWarnings() {
  toldSince = new Map();
}

/** One that is new, or goes on. */
export function addWarning(/** @type {Warning} */ warning) {
  toldSince.set(warning.id, warning);
  show(warning);
  sayHowMany();
}

/** Those that the gateway has kept, the oldest first. */
export function setWarnings(/** @type {readonly Warning[]} */ warnings) {
  const all = new Map([...warnings.map((one) => /** @type {const} */ ([one.id, one])), ...toldSince]);
  lines.clear();
  list.replaceChildren();
  for (const warning of all.values()) show(warning);
  sayHowMany();
}

/** The last first: one that goes on may be told of later than it was seen. */
function show(/** @type {Warning} */ warning) {
  const line = lines.get(warning.id) ?? makeLine();
  line.set(warning);
  lines.set(warning.id, line);
  line.node.dataset.at = warning.at;
  line.node.dataset.id = String(warning.id);
  const items = /** @type {HTMLLIElement[]} */ ([...list.children]);
  const next = items.find((item) => item !== line.node && (item.dataset.at ?? '') <= warning.at) ?? null;
  // One that stands where it should is left there, with what is selected in it.
  if (!line.node.isConnected || line.node.nextSibling !== next) list.insertBefore(line.node, next);
  if (lines.size <= KEPT) return;
  const oldest = /** @type {HTMLLIElement} */ (list.lastElementChild);
  lines.delete(Number(oldest.dataset.id));
  oldest.remove();
}

function sayHowMany() {
  setText(byId('warnings-count', HTMLSpanElement), lines.size === 0 ? '' : count(lines.size));
  byId('warnings-none', HTMLParagraphElement).hidden = lines.size > 0;
}

/** Midnight: what was said of today is of yesterday now. */
let shownOn = '';
watchPast(() => {
  if (shownOn === today()) return;
  shownOn = today();
  for (const { again } of lines.values()) again();
});
