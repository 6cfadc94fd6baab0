/** @import { Status } from '../api/status.js' */
import { setMayAct } from './act.js';
import { get } from './api.js';
import { wireCache } from './cache.js';
import { wireCallers } from './callers.js';
import { showConfigState, wireConfig } from './config.js';
import { wireControls } from './controls.js';
import { wireCurves } from './curves.js';
import { byId, setText } from './dom.js';
import { wireFigures } from './figures.js';
import { clockTime } from './format.js';
import { showHealth } from './health.js';
import { listen } from './live.js';
import { wireManagers } from './managers.js';
import { wireNodes } from './nodes.js';
import { addSample, beginPast, setPast } from './past.js';
import { wireTheme } from './theme.js';
import { addWarning, beginWarnings, setWarnings } from './warnings.js';

/** After an act: not only with the next sample. */
const askStatus = () => void get('api/status').then(showStatus, () => undefined);
const showControls = wireControls(askStatus);
const panels = [wireManagers(), wireNodes(), wireCallers(), wireCache(), wireConfig(askStatus)];
wireTheme(wireCurves());
wireFigures();

let version = '';

function showStatus(/** @type {Status} */ status) {
  showHealth(status);
  showControls(status);
  showConfigState(status);
  setMayAct(status.mayAct);
  if (version === '') version = status.version;
  byId('updated', HTMLSpanElement).hidden = version === status.version;
}

/** Nobody looks at a page in the background; it catches up when it is looked at. */
function showPanels() {
  if (document.hidden) return;
  for (const turn of panels) void turn();
}

async function catchUp() {
  beginWarnings();
  beginPast();
  showPanels();
  const [history, { warnings }] = await Promise.all([get('api/history'), get('api/warnings')]);
  setPast(history);
  setWarnings(warnings);
}

function showConnection(/** @type {import('./live.js').Connection} */ connection) {
  const line = byId('connection', HTMLParagraphElement);
  line.dataset.state = connection.kind;
  document.documentElement.dataset.connection = connection.kind;
  const lost = connection.kind === 'lost';
  // A tab in the background must not go on saying that all is well; the next status names it anew.
  if (lost) document.title = 'Not connected – manager-gateway';
  setText(
    line,
    lost
      ? `Not connected since ${clockTime(connection.since)}. What stands here is how it was then; trying again every 2 s.`
      : '',
  );
}

listen({
  status: showStatus,
  sample(sample) {
    addSample(sample);
    showPanels();
  },
  warning: addWarning,
  // A failure here is one of the connection, and that is said already.
  opened: () => void catchUp().catch(() => undefined),
  changed: showConnection,
});
document.addEventListener('visibilitychange', showPanels);
