/**
 * Without a word for this long the connection is not one any more: a sample comes every 5 s. A laptop that slept, a port that is
 * forwarded no longer: the browser itself does not notice.
 */
const SILENT_MS = 15_000;
const RETRY_MS = 2_000;
const LOOK_MS = 1_000;

/**
 * @typedef {{ kind: 'connecting' } | { kind: 'connected' } | { kind: 'lost', since: Date }} Connection
 *
 * @typedef {{
 *   status: (status: any) => void,
 *   sample: (sample: any) => void,
 *   warning: (warning: any) => void,
 *   opened: () => void,
 *   changed: (connection: Connection) => void,
 * }} Listener `opened`: connected (again), so that what was missed is to be asked for.
 */

/** What happens, as it happens; for ever. */
export function listen(/** @type {Listener} */ { status, sample, warning, opened, changed }) {
  /** @type {EventSource | undefined} */
  let source;
  let heardAt = new Date();
  let retryAtMs = 0;
  /** @type {Connection} */
  let connection = { kind: 'connecting' };

  const become = (/** @type {Connection} */ next) => {
    if (next.kind === connection.kind) return;
    connection = next;
    changed(next);
  };
  const lose = () => {
    source?.close();
    source = undefined;
    retryAtMs = Date.now() + RETRY_MS;
    become({ kind: 'lost', since: heardAt });
  };
  const hear = (/** @type {(data: any) => void} */ tell) => (/** @type {MessageEvent<string>} */ event) => {
    heardAt = new Date();
    tell(JSON.parse(event.data));
  };
  const connect = () => {
    const opening = new EventSource('api/events');
    source = opening;
    retryAtMs = Date.now() + SILENT_MS;
    opening.addEventListener('open', () => {
      heardAt = new Date();
      become({ kind: 'connected' });
      opened();
    });
    opening.addEventListener('status', hear(status));
    opening.addEventListener('sample', hear(sample));
    opening.addEventListener('warning', hear(warning));
    // The browser would try again by itself, but not after every kind of end, and never after a silence.
    opening.addEventListener('error', lose);
  };
  const look = () => {
    const isSilent = Date.now() - heardAt.getTime() > SILENT_MS;
    if (source === undefined ? Date.now() >= retryAtMs : isSilent && Date.now() >= retryAtMs) {
      if (source !== undefined) lose();
      connect();
    }
  };
  connect();
  setInterval(look, LOOK_MS);
  document.addEventListener('visibilitychange', look);
}
