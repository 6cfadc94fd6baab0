import { type Admission, admit } from './admission.js';

/** Admission for one connection: a caller says the same with every call, mostly, and what is understood already is not read again. */
export function createAdmitting(limits: {
  readonly maxMetadataBytes: number;
}): (raw: readonly string[]) => Admission {
  let lately: { readonly raw: readonly string[]; readonly admission: Admission } | undefined;
  return (raw) => {
    if (lately !== undefined && isSame(lately.raw, raw)) return lately.admission;
    const admission = admit(raw, limits.maxMetadataBytes);
    // A refusal is told of each time.
    lately = admission.kind === 'call' ? { raw, admission } : undefined;
    return admission;
  };
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}
