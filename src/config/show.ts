const LONGEST_SHOWN = 80;

/** A value as it may stand in a message: short, quoted if it is text, and never a secret. */
export function show(value: unknown, secret = false): string {
  if (secret && value !== '') return '(hidden)';
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  // Before it is cut: without its @ nobody would know what stands there.
  const text = withoutUserInfo(JSON.stringify(value) ?? String(value));
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}…`;
}

/** "redis://user:password@host" is no address here, but people write it: what stands before the @ is hidden, slashes in it too. */
export function withoutUserInfo(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)?[^\s"]*@/gi, (_all, scheme = '') => `${scheme}(hidden)@`);
}
