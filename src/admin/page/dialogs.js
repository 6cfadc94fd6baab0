import { byId, setText } from './dom.js';

const confirmation = byId('confirm', HTMLDialogElement);
const tokenDialog = byId('token', HTMLDialogElement);
const tokenInput = byId('token-input', HTMLInputElement);

/** Closed by its buttons, or by Escape; resolves then. The browser keeps the focus inside, and gives it back. */
function shown(/** @type {HTMLDialogElement} */ dialog) {
  return new Promise((resolve) => {
    dialog.returnValue = '';
    dialog.addEventListener('close', () => resolve(dialog.returnValue), { once: true });
    dialog.showModal();
  });
}

byId('confirm-no', HTMLButtonElement).addEventListener('click', () => confirmation.close());
byId('confirm-yes', HTMLButtonElement).addEventListener('click', () => confirmation.close('yes'));
byId('token-no', HTMLButtonElement).addEventListener('click', () => tokenDialog.close());
byId('token-form', HTMLFormElement).addEventListener('submit', (event) => {
  // Nothing is ever submitted: the policy of the page forbids it, too.
  event.preventDefault();
  tokenDialog.close('given');
});

/** @typedef {{ title: string, text: string, yes: string }} Warned what it does, and what the button says */

/** Does somebody who has read this still want it? */
export async function confirmed(/** @type {Warned} */ { title, text, yes }) {
  setText(byId('confirm-title', HTMLHeadingElement), title);
  setText(byId('confirm-text', HTMLParagraphElement), text);
  setText(byId('confirm-yes', HTMLButtonElement), yes);
  return (await shown(confirmation)) === 'yes';
}

/** The token that somebody gives; "": none. `wrong`: what was the matter with the one before. */
export async function askForToken(wrong = '') {
  setText(byId('token-wrong', HTMLParagraphElement), wrong);
  tokenInput.value = '';
  const given = await shown(tokenDialog);
  const token = tokenInput.value;
  tokenInput.value = '';
  return given === 'given' ? token : '';
}
