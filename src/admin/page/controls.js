/** @import { Status } from '../api/status.js' */
import { perform } from './act.js';
import { button, byId, setText } from './dom.js';
import { duration } from './format.js';

/** @type {Record<string, { says: string, warn?: string }>} */
const MODES = {
  answer: {
    says: 'Callers are answered from what is remembered where that is right; the manager is spared, and its failures are not noticed.',
  },
  observe: {
    says: 'Every call is forwarded, no answer is changed; what would have been answered is only counted.',
    warn: 'Callers then depend on the manager again: while it is slow or away, their calls are slow or fail.',
  },
  bypass: {
    says: 'A plain proxy: every call is forwarded unread.',
    warn: 'Callers then depend on the manager again, and nothing is remembered or counted of what it answers.',
  },
};
const MINUTES = [10, 30, 60];

async function switchTo(/** @type {string} */ mode, /** @type {string | undefined} */ warn) {
  await perform({
    path: 'api/mode',
    body: { mode },
    ...(warn === undefined
      ? {}
      : {
          warn: {
            title: `Switch to mode ${mode}?`,
            text: `${MODES[mode]?.says} ${warn} It holds until the next switch, reload or restart.`,
            yes: `Switch to ${mode}`,
          },
        }),
    done: (answer) => `The mode is ${answer.mode} now.`,
  });
}

const inWords = (/** @type {number} */ minutes) =>
  minutes === 0
    ? 'Maintenance has ended.'
    : `Maintenance for ${minutes} minutes: callers get what is remembered.`;

/** Mode and maintenance. Returns what shows how they are. */
export function wireControls(/** @type {() => void} */ changed) {
  const act = async (/** @type {Promise<unknown>} */ doing) => {
    await doing;
    changed();
  };
  const modes = Object.entries(MODES).map(([mode, { warn }]) => ({
    mode,
    node: button(mode, () => void act(switchTo(mode, warn))),
  }));
  byId('mode-buttons', HTMLDivElement).append(...modes.map(({ node }) => node));
  const maintain = (/** @type {number} */ minutes) =>
    void act(perform({ path: 'api/maintenance', body: { minutes }, done: () => inWords(minutes) }));
  const end = button('End it now', () => maintain(0));
  byId('maintenance-buttons', HTMLDivElement).append(
    ...MINUTES.map((minutes) => button(`${minutes} minutes`, () => maintain(minutes))),
    end,
  );
  byId('accept-manager', HTMLButtonElement).addEventListener('click', () => {
    void act(
      perform({
        path: 'api/accept-manager',
        warn: {
          title: 'Is this manager the right one?',
          text: 'Its answers then take the place of what is remembered of the one before, and registrations are replayed to it. Other replicas are asked for themselves.',
          yes: 'It is: accept this manager',
        },
        done: () => 'This manager is accepted.',
      }),
    );
  });
  return (/** @type {Status} */ { mode, maintenance }) => {
    for (const one of modes) one.node.setAttribute('aria-pressed', String(one.mode === mode));
    setText(byId('mode-note', HTMLParagraphElement), MODES[mode]?.says ?? '');
    end.hidden = !maintenance.on;
    const state = maintenance.on
      ? `On, for ${duration(Math.ceil(maintenance.leftMs / 1_000) * 1_000)} more.`
      : 'Off.';
    setText(byId('maintenance-state', HTMLParagraphElement), state);
  };
}
