import { h } from './dom.js';
import { watchPast } from './past.js';

/** Strips and small curves that are in the page now. @type {Set<() => void>} */
const drawn = new Set();

watchPast(() => {
  for (const draw of [...drawn]) draw();
});

/**
 * A cell that says how something is now and, below it, how it was; drawn anew with each sample.
 *
 * @template Item
 * @param {{ node: Node, set: (item: Item) => void }} now
 * @param {(item: Item) => string} keyOf
 * @param {(key: () => string) => { node: Element, draw: () => void }} pastOf of what has this key
 */
export function overTime(now, keyOf, pastOf) {
  let key = '';
  const past = pastOf(() => key);
  const node = h('span', { class: 'over-time' }, h('span', {}, now.node), past.node);
  const draw = () => {
    // A row that is gone takes its curves with it.
    if (!node.isConnected) return void drawn.delete(draw);
    past.draw();
  };
  return {
    node,
    set(/** @type {Item} */ item) {
      now.set(item);
      if (key === keyOf(item)) return;
      key = keyOf(item);
      drawn.add(draw);
      queueMicrotask(draw);
    },
  };
}
