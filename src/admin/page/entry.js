import { perform } from './act.js';
import { freshnessInWords, partsInWords, sourceInWords } from './answer-words.js';
import { get } from './api.js';
import { byId, setFacts, setText } from './dom.js';
import { bytes, count, duration, stranger, strangerLines } from './format.js';
import { tell } from './outcome.js';

const dialog = byId('entry', HTMLDialogElement);
const title = byId('entry-title', HTMLHeadingElement);
let key = '';

/** One remembered answer, with what it says, and what may be done to it. Returns what opens it. */
export function wireEntry(/** @type {() => void} */ changed) {
  const accept = byId('entry-accept', HTMLButtonElement);
  byId('entry-close', HTMLButtonElement).addEventListener('click', () => dialog.close());
  byId('entry-refresh', HTMLButtonElement).addEventListener('click', async () => {
    await perform({ path: 'api/cache/refresh', body: { key }, done: refreshedInWords });
    await show().catch(() => undefined);
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
    await show().catch(() => undefined);
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
  return async (/** @type {string} */ wanted) => {
    key = wanted;
    for (const here of dialog.querySelectorAll('.outcome-here')) here.textContent = '';
    try {
      await show();
      dialog.showModal();
      title.focus();
    } catch {
      tell('refused', 'This answer is not remembered any more.');
      changed();
    }
  };
}

function refreshedInWords(/** @type {{ source: string, status: string }} */ { source, status }) {
  return source === 'miss'
    ? `The manager answers ${status}.`
    : `The manager did not answer in time; this is what is remembered (${source}).`;
}

async function show() {
  const entry = await get(`api/cache/entry?key=${encodeURIComponent(key)}`);
  const [state] = freshnessInWords(entry);
  setText(title, `${entry.method} ${entry.version}`);
  setFacts(byId('entry-facts', HTMLDListElement), [
    ['State', state],
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
}
