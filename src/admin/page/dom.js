/**
 * Elements are made here and nowhere else, and text becomes a text node: whatever a stranger calls himself, it is no markup.
 *
 * @typedef {Node | string} Child
 */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} attributes
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} attributes
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * @template {HTMLElement} E
 * @param {string} id
 * @param {{ new (): E, prototype: E }} type
 * @returns {E}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} #${id}`);
  return element;
}

/** What is not new is left alone, and with it what somebody has selected in it. */
export function setText(/** @type {Element} */ element, /** @type {string} */ text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {string} label
 * @param {() => void} clicked
 * @param {Record<string, string>} attributes
 */
export function button(label, clicked, attributes = {}) {
  const element = h('button', { type: 'button', ...attributes }, label);
  element.addEventListener('click', clicked);
  return element;
}

/** A word with a colour; the word says it all. @typedef {'well' | 'care' | 'bad' | 'none'} Tone */
export function chip() {
  const node = h('span', { class: 'chip' });
  return {
    node,
    set(/** @type {string} */ word, /** @type {Tone} */ tone, title = '') {
      setText(node, word);
      node.dataset.tone = tone;
      if (title === '') node.removeAttribute('title');
      else node.title = title;
    },
  };
}

/** The same, with what else there is to say below it. */
export function chipCell() {
  const [{ node: word, set: setWord }, more] = [chip(), h('span', { class: 'muted more' })];
  const node = h('span', { class: 'named' }, h('span', {}, word), more);
  return {
    node,
    set(/** @type {string} */ said, /** @type {Tone} */ tone, /** @type {string} */ about) {
      setWord(said, tone);
      setText(more, about);
      more.hidden = about === '';
    },
  };
}

/**
 * Terms and what is said of them.
 *
 * @param {HTMLDListElement} list
 * @param {readonly (readonly [term: string, said: string])[]} facts
 */
export function setFacts(list, facts) {
  const same = list.children.length === facts.length;
  if (!same) list.replaceChildren(...facts.map(() => h('div', {}, h('dt'), h('dd'))));
  facts.forEach(([term, said], index) => {
    const [dt, dd] = list.children[index]?.children ?? [];
    if (dt) setText(dt, term);
    if (dd) setText(dd, said);
  });
}
