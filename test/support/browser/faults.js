/**
 * What somebody with weak eyes, without a mouse or with a screen reader would stumble over: contrast (WCAG 2.2 AA: 4.5, large text 3,
 * edges of controls 3), sizes of what is clicked (24 px), ids, order of headings. Names and roles the browser itself is asked for.
 *
 * @returns {string[]}
 */
function findFaults() {
  const shown = [...document.querySelectorAll('*')].filter((element) =>
    element.checkVisibility({ visibilityProperty: true }),
  );
  const modal = [...document.querySelectorAll('dialog[open]')].at(-1);
  const looked = modal === undefined ? shown : shown.filter((element) => modal.contains(element));
  return [
    ...ids(),
    ...headings(looked),
    ...looked.flatMap((element) => [...contrast(element), ...size(element)]),
  ];
}

function ids() {
  const all = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  return all.filter((id, index) => all.indexOf(id) !== index).map((id) => `two elements are #${id}`);
}

function headings(/** @type {Element[]} */ elements) {
  const levels = elements
    .filter(({ tagName }) => /^H[1-6]$/.test(tagName))
    .map(({ tagName }) => Number(tagName[1]));
  return levels.flatMap((level, index) => {
    const before = levels[index - 1] ?? level;
    return level > before + 1 ? [`a heading of level ${level} follows one of level ${before}`] : [];
  });
}

const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });

/** @type {Map<string, [number, number, number, number]>} */
const known = new Map();

/** @returns {[number, number, number, number]} of any colour that CSS knows: 0 to 255, and 0 to 1 */
function rgba(/** @type {string} */ colour) {
  const found = known.get(colour) ?? painted(colour);
  known.set(colour, found);
  return found;
}

/** @returns {[number, number, number, number]} */
function painted(/** @type {string} */ colour) {
  if (canvas === null) throw new Error('there is no canvas');
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const [r = 0, g = 0, b = 0, a = 0] = canvas.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
}

/**
 * @param {readonly number[]} upper
 * @param {readonly number[]} lower
 * @returns {[number, number, number]}
 */
function over(upper, lower) {
  const alpha = upper[3] ?? 1;
  const mixed = [0, 1, 2].map((nth) => (upper[nth] ?? 0) * alpha + (lower[nth] ?? 0) * (1 - alpha));
  return /** @type {[number, number, number]} */ (mixed);
}

/** @returns {[number, number, number]} */
function backgroundOf(/** @type {Element | null} */ element) {
  if (element === null) return [255, 255, 255];
  const own = rgba(getComputedStyle(element).backgroundColor);
  if (own[3] === 1) return [own[0], own[1], own[2]];
  // A dialog stands before everything, whatever it is written in.
  return over(own, backgroundOf(element.parentElement));
}

function luminance(/** @type {readonly number[]} */ colour) {
  const [r = 0, g = 0, b = 0] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/**
 * @param {readonly number[]} one
 * @param {readonly number[]} other
 */
function ratio(one, other) {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** @returns {string[]} */
function contrast(/** @type {Element} */ element) {
  const style = getComputedStyle(element);
  const hasText = [...element.childNodes].some(
    (node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim(),
  );
  const what = `${element.tagName.toLowerCase()}#${element.id}.${element.className} "${element.textContent?.trim().slice(0, 30)}"`;
  const faults = [];
  if (hasText && !element.closest('.unseen, .skip, svg')) {
    const background = backgroundOf(element);
    const found = ratio(over(rgba(style.color), background), background);
    const isLarge =
      parseFloat(style.fontSize) >= 24 ||
      (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    if (found < (isLarge ? 3 : 4.5)) faults.push(`contrast ${found.toFixed(2)}: ${what}`);
  }
  const isEdged =
    element.matches('button, select, input:not([type="checkbox"])') && rgba(style.borderTopColor)[3] > 0;
  if (isEdged && !element.matches('.quiet, .link')) {
    const found = ratio(rgba(style.borderTopColor), backgroundOf(element.parentElement));
    if (found < 3) faults.push(`contrast of the edge ${found.toFixed(2)}: ${what}`);
  }
  return faults;
}

/** @returns {string[]} */
function size(/** @type {Element} */ element) {
  // What stands in a sentence is as large as the sentence; a label can be clicked, too.
  if (!element.matches('button, select, nav a, summary, input:not([type="checkbox"])')) return [];
  const { width, height } = element.getBoundingClientRect();
  const isSmall = width < 24 || height < 20 || (height < 24 && !element.matches('summary'));
  return isSmall ? [`${Math.round(width)} × ${Math.round(height)} px to click: ${element.textContent}`] : [];
}

Object.assign(window, { findFaults });
