/** What the sentence is made of. */
export interface Standing {
  readonly mode: string;
  readonly draining: boolean;
  /** Why nobody can be answered; undefined: they can. */
  readonly notServing: string | undefined;
  /** Why the manager that is there is not taken for ours. */
  readonly frozen: string | undefined;
  readonly maintenanceLeftMs: number;
  readonly managers: { readonly working: number; readonly all: number };
  /** Why none works; undefined: one does. */
  readonly trouble: string | undefined;
  readonly openBreakers: number;
  readonly disputedNodes: number;
  readonly liveNodes: number;
  /** The file was changed to something that is not taken. */
  readonly configRefused: boolean;
  /** Of the last hour, as far as there was one. */
  readonly reads: { readonly all: number; readonly spared: number };
}

export type Health = 'well' | 'care' | 'bad';

/** How the gateway is, in one sentence, and how much that should worry whoever reads it. The worst comes first. */
export function sentenceOf(now: Standing): { readonly health: Health; readonly text: string } {
  const bad = (text: string) => ({ health: 'bad', text }) as const;
  const care = (text: string) => ({ health: 'care', text }) as const;
  if (now.draining) return care('The gateway is stopping: callers are sent elsewhere.');
  if (now.notServing !== undefined) return bad(`Nobody can be answered: ${now.notServing}.`);
  if (now.frozen !== undefined) return bad(`The manager does not look like ours: ${now.frozen}.`);
  if (now.mode !== 'answer' && now.trouble !== undefined) {
    return bad(`No manager works, and in mode ${now.mode} callers are given nothing else: ${now.trouble}.`);
  }
  if (now.mode !== 'answer') {
    return care(`Mode ${now.mode}: callers get what the manager says, and nothing when it says nothing.`);
  }
  if (now.trouble !== undefined) {
    return bad(`No manager works; callers get the last good answers: ${now.trouble}.`);
  }
  if (now.maintenanceLeftMs > 0) {
    const minutes = Math.ceil(now.maintenanceLeftMs / 60_000);
    return care(
      `Maintenance for ${minutes} more ${minutes === 1 ? 'minute' : 'minutes'}: callers get what is remembered.`,
    );
  }
  const { working, all } = now.managers;
  if (working < all) return care(`${working} of ${all} manager addresses work; callers do not notice.`);
  if (now.openBreakers > 0)
    return care(`The manager works, but ${now.openBreakers} of its methods fail and are not asked for now.`);
  if (now.disputedNodes > 0) {
    return care(
      `The manager says otherwise of ${now.disputedNodes} of ${now.liveNodes} live nodes; it is being put right.`,
    );
  }
  if (now.configRefused) return care('The changed configuration is refused; what ran before goes on.');
  const they = all === 1 ? 'the manager works' : `all ${all} manager addresses work`;
  const { reads } = now;
  // Never 100 where one was not.
  const share = Math.floor((100 * reads.spared) / Math.max(1, reads.all));
  const spared =
    reads.all === 0
      ? ''
      : `; ${share} % of ${reads.all.toLocaleString('en')} reads were answered from memory`;
  return { health: 'well', text: `All is well: ${they}${spared}.` };
}
