import { readdirSync, readFileSync } from 'node:fs';

/** /proc counts in these (sysconf(_SC_CLK_TCK), 100 on every Linux that Node runs on). */
const TICKS_PER_SECOND = 100;

/** CPU seconds, user and system, that a process and all below it have used: all threads, and children that have ended. */
export function cpuSecondsOf(pid: number): number {
  let ticks = 0;
  for (const one of treeOf(pid)) {
    // utime, stime, cutime, cstime; the name before them may hold spaces.
    const fields = read(`/proc/${one}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ');
    for (const at of [11, 12, 13, 14]) ticks += Number(fields[at] ?? 0);
  }
  return ticks / TICKS_PER_SECOND;
}

/** Memory in RAM of a process and all below it, bytes. */
export function memoryBytesOf(pid: number): number {
  let kib = 0;
  for (const one of treeOf(pid))
    kib += Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${one}/status`))?.[1] ?? 0);
  return kib * 1024;
}

function treeOf(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = /^PPid:\s+(\d+)/m.exec(read(`/proc/${name}/status`))?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const tree = [pid];
  for (const one of tree) {
    for (const [child, parent] of parents) if (parent === one) tree.push(child);
  }
  return tree;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}
