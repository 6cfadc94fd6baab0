import { byId, setText } from './dom.js';

/** What was done stands for a while; what was refused stands until somebody has seen it. */
const STANDS_MS = 10_000;

const bar = byId('outcome', HTMLDivElement);
const [words, dismiss] = [bar.querySelector('p'), bar.querySelector('button')];
/** What is hidden until it is filled is not read out; this is always there. */
const said = byId('outcome-said', HTMLParagraphElement);
let timer = 0;

dismiss?.addEventListener('click', () => {
  bar.hidden = true;
});

/** Says what became of what somebody wanted: in the dialog that is open, else at the foot of the page. */
export function tell(/** @type {'done' | 'refused'} */ kind, /** @type {string} */ text) {
  clearTimeout(timer);
  bar.hidden = true;
  const here = [...document.querySelectorAll('dialog[open] .outcome-here')].at(-1);
  if (here instanceof HTMLElement) {
    here.dataset.kind = kind;
    // What stands there already is not read out again.
    setText(here, text);
    return;
  }
  bar.dataset.kind = kind;
  bar.hidden = false;
  if (words) words.textContent = text;
  said.textContent = text;
  if (kind === 'done') timer = window.setTimeout(() => (bar.hidden = true), STANDS_MS);
}
