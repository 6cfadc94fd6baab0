/**
 * @import { ShownNode } from '../nodes.js'
 * @import { Tone } from './dom.js'
 */
import { perform } from './act.js';
import { get, poll } from './api.js';
import { button, byId, chipCell, setText } from './dom.js';
import { count, duration, NOTHING, stranger } from './format.js';
import { liveTable, nameCell, textColumn } from './table.js';

/** @typedef {{ count: number, toLookAt: number, nodes: ShownNode[] }} NodesReply */

/** More rows than that nobody reads, and a browser works for seconds on thousands. */
const MOST = 500;

/** @type {Record<string, Tone>} */
const HERE = {
  open: 'well',
  waiting: 'care',
  replacing: 'care',
  ending: 'none',
  dormant: 'care',
  elsewhere: 'none',
};
/** @type {Record<string, Tone>} */
const THERE = { active: 'well', inactive: 'bad', gone: 'bad', unknown: 'none' };

/** @returns {import('./table.js').Column<ShownNode>[]} */
function columns(/** @type {() => void} */ again) {
  return [
    {
      label: 'Node',
      kind: 'name',
      make() {
        const { node, set } = nameCell();
        return {
          node,
          set: ({ hostname, kind, clusterId, ip }) =>
            set(stranger(hostname), `${kind}, cluster ${stranger(clusterId)}, ${stranger(ip)}`),
        };
      },
    },
    {
      label: 'Here',
      make() {
        const { node, set } = chipCell();
        return {
          node,
          set({ state, alive, reopenings, lastReopened }) {
            const times = ['', 'once', 'twice'][reopenings] ?? `${count(reopenings)} times`;
            const reopened = reopenings === 0 ? '' : `opened again ${times}, last: ${lastReopened}`;
            set(alive ? state : `${state}, not alive`, alive ? (HERE[state] ?? 'none') : 'bad', reopened);
          },
        };
      },
    },
    {
      label: 'At the manager',
      make() {
        const { node, set } = chipCell();
        return {
          node,
          set({ manager }) {
            if (manager === null) return set('not asked', 'none', '');
            const { says, agoMs, detail, disputedForMs } = manager;
            const disputed = disputedForMs === null ? '' : `, disputed for ${duration(disputedForMs)}`;
            const tone = disputed === '' ? (THERE[says] ?? 'none') : 'bad';
            set(`${says}${disputed}`, tone, `asked ${duration(agoMs)} ago${whyUnknown(detail)}`);
          },
        };
      },
    },
    textColumn(
      'Last beat',
      ({ lastBeatAgoMs }) => (lastBeatAgoMs === null ? NOTHING : `${duration(lastBeatAgoMs)} ago`),
      'number',
    ),
    textColumn('Replica', ({ replica }) => replicaInWords(replica)),
    { label: '', kind: 'acts', make: () => forgetButton(again) },
  ];
}

function whyUnknown(/** @type {string} */ detail) {
  return detail === '' ? '' : `: ${stranger(detail.replace(/^manager-gateway: /, ''))}`;
}

function replicaInWords(/** @type {string | null} */ replica) {
  if (replica === null) return NOTHING;
  return replica === '' ? 'nobody' : stranger(replica);
}

function forgetButton(/** @type {() => void} */ again) {
  /** @type {ShownNode | undefined} */
  let node;
  const forget = async () => {
    if (node === undefined) return;
    const { kind, clusterId, hostname, ip } = node;
    const name = stranger(hostname);
    const isDone = await perform({
      path: 'api/nodes/forget',
      body: { kind, clusterId, hostname, ip },
      warn: {
        title: `Forget ${name}?`,
        text: `Its stream ends here and at the manager, which then shows ${name} (${stranger(ip)}) as inactive. It is for a node that has gone for good; one that lives comes back with its next stream.`,
        yes: 'Forget it',
      },
      done: () => `${name} is forgotten.`,
    });
    if (isDone) again();
  };
  const element = button('Forget…', () => void forget(), { class: 'quiet' });
  return {
    node: element,
    set(/** @type {ShownNode} */ next) {
      node = next;
      element.setAttribute('aria-label', `Forget ${stranger(next.hostname)}…`);
    },
  };
}

/** To be looked at first. */
function isWrong(/** @type {ShownNode} */ { alive, manager }) {
  return !alive || (manager !== null && manager.disputedForMs !== null);
}

function inWords(/** @type {NodesReply} */ { count: all, toLookAt, nodes }) {
  const wrong = toLookAt === 0 ? '' : `, ${count(toLookAt)} to look at`;
  const shown = nodes.length < all ? `, ${count(nodes.length)} of them here` : '';
  return `${count(all)}${wrong}${shown}`;
}

/** Returns what asks for them. */
export function wireNodes() {
  const turn = poll('nodes', async () => {
    /** @type {NodesReply} */
    const reply = await get(`api/nodes?limit=${MOST}`);
    const { nodes } = reply;
    setText(byId('nodes-count', HTMLSpanElement), inWords(reply));
    // Sorting keeps the order of those that are alike: by kind and name.
    fill(nodes.toSorted((one, other) => Number(isWrong(other)) - Number(isWrong(one))));
    byId('nodes-replica', HTMLParagraphElement).hidden = !nodes.some(({ replica }) => replica === null);
  });
  const fill = liveTable(byId('nodes-table', HTMLTableElement), {
    columns: columns(() => void turn()),
    keyOf: ({ kind, clusterId, hostname, ip }) => JSON.stringify([kind, clusterId, hostname, ip]),
    none: 'No node keeps a stream here.',
    isLoud: isWrong,
  });
  return turn;
}
