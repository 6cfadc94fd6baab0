/** Where a value stands in the YAML: names of sections and keys, then indexes of a list. */
export type Path = readonly (string | number)[];

/** `managers.addrs[1]`, as operators write it. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** `managers.probe.slow` as a path; for known keys, which have no dots in their names. */
export function at(dotted: string): Path {
  return dotted.split('.');
}

/** One holds the other, or they are the same. */
export function overlap(one: Path, other: Path): boolean {
  const shared = Math.min(one.length, other.length);
  return one.slice(0, shared).every((step, index) => step === other[index]);
}
