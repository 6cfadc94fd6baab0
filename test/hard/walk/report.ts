import type { Judges } from './judges.js';

/** What has been judged, so that a walk in which nothing was to be seen is seen to be one. */
export function report(judges: Judges): string {
  const { answers, order, writes, nodes, beats, footprint, codes, sources } = judges;
  const { ends, amongFaults, cameBack, nobody, unheard, lost, adopted, lateThroughOther, deletedRows } =
    nodes.counts;
  const allowancesMs = judges.allowancesMs.toSorted((a, b) => a - b);
  const middle = Math.round(allowancesMs[allowancesMs.length >> 1] ?? 0);
  const { descriptors, residentMib } = footprint.highest;
  return [
    `${judges.rounds} rounds, in ${judges.restless} of them Redis came not to rest, and nodes were left for the next`,
    `for standstills of the machine ${middle} ms were allowed in the middle, ${Math.round(allowancesMs.at(-1) ?? 0)} ms at the most`,
    `${answers.judged} answers (OK: ${counted(sources)}), ${order.empties} empty lists; by status: ${counted(codes)}`,
    `${writes.direct} registrations taken, ${writes.journaled} journaled, ${writes.deletions} deletions`,
    `${ends} ends of nodes held against their rows, ${amongFaults} of them among faults; ${cameBack} came back first, ${nobody} never registered, ${unheard} were never heard, ${lost} were lost with a manager that took no writes`,
    `${beats.judged} times it was listened for the beats of a live node`,
    `${adopted} had ended and were kept by another replica for a while, ${deletedRows} rows mended late, ${lateThroughOther} ends late through the other manager, ${writes.overtaken} registrations overtaken by older ones that a manager was late with`,
    `at the most ${descriptors} descriptors beside callers', ${Math.round(residentMib)} MiB; growth was looked at ${footprint.compared} times`,
  ].join('\n');
}

function counted(counts: ReadonlyMap<string | number, number>): string {
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name}: ${count}`)
    .join(', ');
}
