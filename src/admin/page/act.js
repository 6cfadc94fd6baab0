import { post } from './api.js';
import { askForToken, confirmed } from './dialogs.js';
import { byId } from './dom.js';
import { tell } from './outcome.js';

/** Kept here only: gone with the page. */
let token = '';
let mayAct = true;
let isActing = false;

/** Whether there is a token at all; without one nobody is asked for it. */
export function setMayAct(/** @type {boolean} */ may) {
  mayAct = may;
  byId('act-note', HTMLParagraphElement).hidden = may;
}

byId('token-forget', HTMLButtonElement).addEventListener('click', () => {
  setToken('');
  tell('done', 'The token is forgotten.');
});

function setToken(/** @type {string} */ next) {
  token = next;
  byId('token-given', HTMLSpanElement).hidden = token === '';
}

/**
 * @typedef {{
 *   path: string,
 *   body?: unknown,
 *   warn?: import('./dialogs.js').Warned,
 *   done: (answer: any) => string,
 * }} Act `warn`: it can hurt, so that it is asked about first; `done`: what to say when it is done
 */

/**
 * Does it, if it is still wanted and the token is right, and says what became of it.
 *
 * @param {Act} act
 * @returns {Promise<boolean>} it is done
 */
export async function perform(act) {
  // A second click while the first one is under way would do it twice.
  if (isActing) return false;
  isActing = true;
  try {
    return await carryOut(act);
  } finally {
    isActing = false;
  }
}

async function carryOut(/** @type {Act} */ act) {
  if (!mayAct) {
    tell('refused', 'Refused: admin.token is not set, so nobody may.');
    return false;
  }
  if (act.warn !== undefined && !(await confirmed(act.warn))) return false;
  for (let wrong = ''; ; wrong = 'Refused: that is not the token.') {
    if (token === '') setToken(await askForToken(wrong));
    if (token === '') {
      tell('refused', 'Refused: nothing is done without the token.');
      return false;
    }
    const posted = await post(act.path, act.body ?? {}, token);
    switch (posted.kind) {
      case 'done':
        tell('done', act.done(posted.answer));
        return true;
      case 'refused':
        if (posted.status === 401) {
          setToken('');
          continue;
        }
        tell('refused', `Not done: ${posted.text}`);
        return false;
      case 'unreachable':
        tell('refused', 'The gateway did not answer; it may be done, or not.');
        return false;
    }
  }
}
