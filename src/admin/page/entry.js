import { perform } from './act.js';
import { freshnessInWords, partsInWords, sourceInWords } from './answer-words.js';
import { get, NoAnswer } from './api.js';
import { byId, setFacts, setText } from './dom.js';
import { bytes, count, duration, stranger, strangerLines } from './format.js';
import { tell } from './outcome.js';

const dialog = byId('entry', HTMLDialogElement);
const title = byId('entry-title', HTMLHeadingElement);
/** Of the answer that is shown, or was asked for last. */
let key = '';

/** One remembered answer, with what it says, and what may be done to it. Returns what opens it, and what asks for it again. */
export function wireEntry(/** @type {() => void} */ changed) {
  const accept = byId('entry-accept', HTMLButtonElement);
  byId('entry-close', HTMLButtonElement).addEventListener('click', () => dialog.close());
  byId('entry-refresh', HTMLButtonElement).addEventListener('click', async () => {
    await perform({ path: 'api/cache/refresh', body: { key }, done: refreshedInWords });
    await showAgain();
    changed();
  });
  accept.addEventListener('click', async () => {
    await perform({
      path: 'api/cache/accept',
      body: { key },
      warn: {
        title: 'Is the poorer answer right?',
        text: 'The manager is asked again, and what it says then takes the place of what is served now, even if it lists nobody.',
        yes: 'It is right: accept it',
      },
      done: refreshedInWords,
    });
    await showAgain();
    changed();
  });
  byId('entry-drop', HTMLButtonElement).addEventListener('click', async () => {
    const isDone = await perform({
      path: 'api/cache/drop',
      body: { key },
      warn: {
        title: 'Drop this answer?',
        text: 'It is forgotten here and in Redis. While the manager is away, there is then nothing to serve to whoever asks for it.',
        yes: 'Drop it',
      },
      done: () => 'Dropped.',
    });
    if (!isDone) return;
    dialog.close();
    tell('done', 'Dropped.');
    changed();
  });
  return { open: (/** @type {string} */ wanted) => open(wanted, changed), showAgain };
}

/**
 * With its content, or not at all.
 *
 * @param {string} wanted
 * @param {() => void} changed
 */
async function open(wanted, changed) {
  key = wanted;
  try {
    if (!(await show(wanted)) || dialog.open) return;
    for (const here of dialog.querySelectorAll('.outcome-here')) here.textContent = '';
    dialog.showModal();
    title.focus();
  } catch (error) {
    tell('refused', whyNot(error));
    changed();
  }
}

/** What somebody looks at is as old as the rest of the page. */
async function showAgain() {
  if (!dialog.open) return;
  try {
    await show(key);
  } catch (error) {
    // A connection that is lost is said at the top.
    if (isGone(error)) tell('refused', whyNot(error));
  }
}

function isGone(/** @type {unknown} */ error) {
  return error instanceof NoAnswer && error.status === 404;
}

function whyNot(/** @type {unknown} */ error) {
  return isGone(error) ? 'This answer is not remembered any more.' : 'The gateway did not answer: try again.';
}

function refreshedInWords(/** @type {{ source: string, status: string }} */ { source, status }) {
  return source === 'miss'
    ? `The manager answers ${status}.`
    : `The manager did not answer in time; this is what is remembered (${source}).`;
}

/** Returns false where another answer is wanted by now: buttons are about the one that is shown. */
async function show(/** @type {string} */ wanted) {
  const entry = await get(`api/cache/entry?key=${encodeURIComponent(wanted)}`);
  if (wanted !== key) return false;
  const [state, , meaning] = freshnessInWords(entry);
  setText(title, `${entry.method} ${entry.version}`);
  setFacts(byId('entry-facts', HTMLDListElement), [
    ['State', meaning === '' ? state : `${state}: ${meaning}`],
    ['Age', duration(entry.ageMs)],
    ['Size', bytes(entry.sizeBytes)],
    ['Uses', count(entry.uses)],
    ['From', sourceInWords(entry)],
    ['Status', `${entry.status} ${stranger(entry.statusMessage)}`.trim()],
    ['For', entry.audience === 'own' ? 'this caller' : 'all who would get the same'],
  ]);
  const note = byId('entry-held', HTMLParagraphElement);
  note.hidden = entry.held === null;
  byId('entry-accept', HTMLButtonElement).hidden = entry.held === null;
  if (entry.held !== null) {
    setText(
      note,
      `For ${duration(entry.held.forMs)} the manager has answered something poorer (${entry.held.reason}); the guard holds it back.`,
    );
  }
  setText(byId('entry-parts', HTMLPreElement), partsInWords(entry.parts));
  const answer = typeof entry.answer === 'string' ? entry.answer : JSON.stringify(entry.answer, null, 2);
  setText(byId('entry-answer', HTMLPreElement), strangerLines(answer));
  return true;
}
