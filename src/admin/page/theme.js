import { byId } from './dom.js';

/** Light, dark, or as the system is; remembered by the browser, where it lets us. `changed`: colours are others now. */
export function wireTheme(/** @type {() => void} */ changed) {
  const root = document.documentElement;
  const select = byId('theme', HTMLSelectElement);
  select.value = root.dataset.theme ?? '';
  select.addEventListener('change', () => {
    if (select.value === '') delete root.dataset.theme;
    else root.dataset.theme = select.value;
    remember(select.value);
    changed();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
}

function remember(/** @type {string} */ theme) {
  try {
    if (theme === '') localStorage.removeItem('theme');
    else localStorage.setItem('theme', theme);
  } catch {
    // It holds until the page is loaded again.
  }
}
