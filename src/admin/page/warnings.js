/** @import { Warning } from '../api/warnings.js' */
import { byId, chip, h, setText } from './dom.js';
import { clockTime, count, stranger } from './format.js';

const KEPT = 200;

/** @type {Map<number, { node: HTMLLIElement, set: (warning: Warning) => void }>} */
const lines = new Map();
const list = byId('warnings-list', HTMLOListElement);

function makeLine() {
  const [time, text, event, { node: level, set: setLevel }] = [
    h('time'),
    h('bdi', { class: 'said' }),
    h('span', { class: 'muted' }),
    chip(),
  ];
  return {
    node: h('li', {}, time, level, h('span', { class: 'words' }, text, ' ', event)),
    set(/** @type {Warning} */ warning) {
      const [first, last] = [new Date(warning.firstAt), new Date(warning.at)];
      time.dateTime = warning.at;
      setText(time, clockTime(last));
      setLevel(warning.level, warning.level === 'warn' ? 'care' : 'bad');
      setText(text, stranger(warning.text));
      const often = warning.count === 1 ? '' : ` × ${count(warning.count)} since ${clockTime(first)}`;
      setText(event, `${warning.event}${often}`);
    },
  };
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

/** At the top, where the last is. */
function show(/** @type {Warning} */ warning) {
  const line = lines.get(warning.id) ?? makeLine();
  line.set(warning);
  // The order of the map is that of the list, from its end.
  lines.delete(warning.id);
  lines.set(warning.id, line);
  if (list.firstChild !== line.node) list.prepend(line.node);
  for (const [id, { node }] of lines) {
    if (lines.size <= KEPT) break;
    node.remove();
    lines.delete(id);
  }
}

function sayHowMany() {
  setText(byId('warnings-count', HTMLSpanElement), lines.size === 0 ? '' : count(lines.size));
  byId('warnings-none', HTMLParagraphElement).hidden = lines.size > 0;
}
