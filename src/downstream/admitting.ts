import { type Admission, type Admitted, admit, TIMEOUT } from './admission.js';
import { timeoutMsOf } from './timeouts.js';

/** What was understood of a request, and where its timeout stands in it; -1: it has none. */
interface Understood {
  readonly raw: readonly string[];
  readonly timeoutAt: number;
  readonly admitted: Admitted;
}

/**
 * Admission for one connection: a caller says the same with every call, mostly, but for its timeout, and what is understood already is
 * not read again.
 */
export function createAdmitting(limits: {
  readonly maxMetadataBytes: number;
}): (raw: readonly string[]) => Admission {
  let lately: Understood | undefined;
  return (raw) => {
    const again = lately && admitAgain(lately, raw);
    if (again !== undefined) return again;
    const admission = admit(raw, limits.maxMetadataBytes);
    // A refusal is told of each time.
    lately = admission.kind === 'call' ? { raw, timeoutAt: timeoutIn(raw), admitted: admission } : undefined;
    return admission;
  };
}

/** Where its value stands; -1: nowhere. */
function timeoutIn(raw: readonly string[]): number {
  for (let at = 0; at < raw.length; at += 2) if (raw[at] === TIMEOUT) return at + 1;
  return -1;
}

function admitAgain({ raw, timeoutAt, admitted }: Understood, next: readonly string[]): Admitted | undefined {
  if (raw.length !== next.length) return undefined;
  for (let at = 0; at < raw.length; at++) if (raw[at] !== next[at] && at !== timeoutAt) return undefined;
  const timeout = next[timeoutAt];
  if (timeoutAt < 0 || timeout === undefined || timeout === raw[timeoutAt]) return admitted;
  // Of another length, and the request is of another size.
  const timeoutMs = timeout.length === raw[timeoutAt]?.length ? timeoutMsOf(timeout) : undefined;
  if (timeoutMs === undefined) return undefined;
  const { kind, path, metadata, encoding } = admitted;
  return { kind, path, metadata, timeoutMs, encoding };
}
