import type { Judges } from './judges.js';

/** What has been judged, so that a walk in which nothing was to be seen is seen to be one. */
export function report({ answers, order, writes, nodes, footprint, codes, sources }: Judges): string {
  const { ends, unknowable, lateThroughOther, deletedRows } = nodes.counts;
  const { descriptors, residentMib } = footprint.highest;
  return [
    `${answers.judged} OK answers (${counted(sources)}), ${order.empties} of them empty; by status: ${counted(codes)}`,
    `${writes.direct} registrations taken, ${writes.journaled} journaled`,
    `${ends} ends of nodes in time, ${unknowable} of which nothing could be told; ${deletedRows} rows mended late, ${lateThroughOther} ends late through the other manager`,
    `at the most ${descriptors} descriptors beside callers', ${Math.round(residentMib)} MiB`,
  ].join('\n');
}

function counted(counts: ReadonlyMap<string | number, number>): string {
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name}: ${count}`)
    .join(', ');
}
