const GET_MS = 10_000;
/** A refresh waits for the manager. */
const POST_MS = 90_000;

/** The gateway does not answer, or not what was hoped for; `status` 0: not at all. */
export class NoAnswer extends Error {
  /**
   * @param {string} message
   * @param {{ status?: number, cause?: unknown }} [why]
   */
  constructor(message, { status = 0, cause } = {}) {
    super(message, { cause });
    this.status = status;
  }
}

/**
 * Rejects with `NoAnswer`.
 *
 * @param {string} path
 * @returns {Promise<any>}
 */
export async function get(path) {
  try {
    const response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(GET_MS) });
    if (response.ok) return await response.json();
    throw new NoAnswer(`${response.status}: ${(await response.text()).trim()}`, { status: response.status });
  } catch (cause) {
    throw cause instanceof NoAnswer ? cause : new NoAnswer(`${path} was not answered`, { cause });
  }
}

/**
 * @typedef {{ kind: 'done', answer: any }
 *   | { kind: 'refused', status: number, text: string }
 *   | { kind: 'unreachable' }} Posted
 */

/**
 * @param {string} path
 * @param {unknown} body
 * @param {string} token
 * @returns {Promise<Posted>}
 */
export async function post(path, body, token) {
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(POST_MS),
    });
    const text = (await response.text()).trim();
    if (!response.ok) return { kind: 'refused', status: response.status, text };
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return { kind: 'done', answer: isJson ? JSON.parse(text) : text };
  } catch {
    return { kind: 'unreachable' };
  }
}

/**
 * Asks again and again, never twice at a time; what fails is asked for at the next turn.
 *
 * @param {string} section where it is said that it could not be asked
 * @param {() => Promise<void>} ask
 * @returns {() => Promise<void>}
 */
export function poll(section, ask) {
  let isAsking = false;
  let isWanted = false;
  return async function turn() {
    isWanted = isAsking;
    if (isAsking) return;
    isAsking = true;
    const failed = await ask().then(() => false, isNoAnswer);
    isAsking = false;
    document.getElementById(section)?.toggleAttribute('data-failed', failed);
    if (isWanted) await turn();
  };
}

/** Anything else is a mistake of this page, and is not to be hidden. */
function isNoAnswer(/** @type {unknown} */ error) {
  if (error instanceof NoAnswer) return true;
  throw error;
}
