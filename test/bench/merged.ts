import type { Results } from './results.js';

/** `newer`, with the rows of scenarios that only `older` has: a whole run takes long, and may be made in parts. */
export function merged(older: Results | undefined, newer: Results): Results {
  if (older === undefined) return newer;
  const again = new Set(newer.rows.map(({ scenario }) => scenario));
  const kept = older.rows.filter(({ scenario }) => !again.has(scenario));
  const named = new Set(newer.missing.map(({ name }) => name));
  return {
    ...newer,
    versions: { ...older.versions, ...newer.versions },
    missing: [
      ...older.missing.filter(({ name }) => !named.has(name) && !(name in newer.versions)),
      ...newer.missing,
    ],
    rows: [...kept, ...newer.rows],
  };
}
