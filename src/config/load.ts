import { readFileSync } from 'node:fs';
import { checkLayer } from './check-layer.js';
import { impossibleCombinations } from './combinations.js';
import type { Config } from './config.js';
import { ConfigError } from './config-error.js';
import type { Conflict } from './conflict.js';
import { readEnv } from './layers/env.js';
import { readYaml } from './layers/file.js';
import type { Layer, LayersRead } from './layers/layer.js';
import { readSets } from './layers/sets.js';
import { overlap, type Path } from './path.js';
import { pemPaths, readPemFiles } from './pem-files.js';
import type { Place, Problem } from './problem.js';
import { schema } from './schema.js';
import { toConfig } from './to-config.js';
import { merge, type Tree } from './tree.js';

/** `text` is the YAML itself; with it, `file` is only what problems call it. Neither: no file. */
export type ConfigSources = {
  readonly file?: string;
  readonly text?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `path=value`, as given to `--set`. */
  readonly sets: readonly string[];
  /** Told of the PEM files that the configuration names, whether or not it is right. */
  readonly named?: (files: readonly string[]) => void;
};

/**
 * Reads the configuration: defaults, the YAML file, env `DFMGW__SECTION__KEY` and `--set`, each over the one before.
 * Throws a ConfigError with everything that is wrong with it, not only the first.
 */
export function loadConfig(sources: ConfigSources): Config {
  const reads = [readFile(sources), readEnv(sources.env), readSets(sources.sets)];
  const layers = reads.flatMap((read) => read.layers);
  // Each layer by itself, so that a wrong value is told even where a later layer hides it.
  const checked = layers.map((layer) => checkLayer(layer));
  const problems = [...reads, ...checked].flatMap((read) => read.problems);

  const written = checked.reduce<Tree>((below, { tree }) => merge(below, tree), {});
  const settings = schema.parse(written);
  sources.named?.(pemPaths(settings));
  const { files, conflicts } = readPemFiles(settings);
  if (reads.every(({ complete }) => complete)) {
    const all = [...conflicts, ...impossibleCombinations(settings)];
    const unread = reads
      .flatMap((read) => read.problems.map(({ path }) => path))
      .filter((path) => path.length > 0);
    const failed = [...unread, ...checked.flatMap((layer) => layer.failed)];
    problems.push(...all.filter((one) => !concerns(one, failed)).map((one) => toProblem(one, layers)));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return toConfig(settings, files);
}

function readFile({ file, text }: ConfigSources): LayersRead {
  if (text !== undefined) return readYaml(text, file ?? 'config');
  if (file === undefined) return { layers: [], problems: [], complete: true };
  try {
    return readYaml(readFileSync(file, 'utf8'), file);
  } catch (error) {
    const found = `a file that cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`;
    const place: Place = { kind: 'file', file, line: 1, column: 1 };
    return { layers: [], problems: [{ path: [], place, found, allowed: 'a YAML file' }], complete: false };
  }
}

/** A conflict with a value that was refused is only its echo: the default stands in its place. */
function concerns({ paths }: Conflict, failed: readonly Path[]): boolean {
  return failed.some((one) => paths.some((path) => overlap(one, path)));
}

/** Told where somebody wrote one of its keys; the last source wins, as its value did. */
function toProblem({ paths, found, allowed }: Conflict, layers: readonly Layer[]): Problem {
  for (const path of paths) {
    const place = placeOf(path, layers);
    if (place !== undefined) return { path, place, found, allowed };
  }
  return { path: paths[0], place: { kind: 'default' }, found, allowed };
}

function placeOf(path: Path, layers: readonly Layer[]): Place | undefined {
  for (const layer of layers.toReversed()) {
    const place = layer.placeOf(path, 'value');
    if (place !== undefined) return place;
  }
  return undefined;
}
