import { writeFile } from 'node:fs/promises';
import type { Config } from '../config/config.js';
import { GatewayError } from '../errors.js';
import { type Clock, systemClock } from '../rpc/clock.js';
import { VERSION } from '../version.js';
import { dynconfig, FORMATS, type Format } from './export/dynconfig.js';
import { type Known, type KnownCluster, knownFrom } from './export/known.js';
import { type Asker, fromGateway, fromSnapshot } from './export/sources.js';
import { parseTarget, type TargetTls } from './target.js';

export interface ExportOptions {
  readonly config: Pick<Config, 'snapshot' | 'fleet' | 'managers'>;
  readonly format: string;
  /** A running gateway; undefined: the snapshot in `snapshot.dir`. */
  readonly target: string | undefined;
  /** Of the target. */
  readonly tls: TargetTls;
  /** As whom a running gateway is asked. `clusterId` also chooses among several clusters. */
  readonly asker: Asker;
  /** A file, or `-`. */
  readonly out: string;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly clock?: Clock;
}

const EXIT = { written: 0, nothing: 1 } as const;
const GRACE_MS = 1_000;

/**
 * `manager-gateway export`: the way out if the manager is lost for good. Resolves with the exit code: 1 if nothing is
 * known to write; rejects with `config-invalid` for wrong use.
 */
export async function runExport(options: ExportOptions): Promise<number> {
  const { config, target, asker, stderr } = options;
  const clock = options.clock ?? systemClock;
  const format = FORMATS.find((one) => one === options.format);
  if (format === undefined)
    throw wrongUse(`--format: found "${options.format}"; allowed: ${FORMATS.join(', ')}`);
  if (target === undefined && config.snapshot.dir === '')
    throw wrongUse('export: found neither --target nor snapshot.dir; allowed: one of them');
  if (asker.clusterId !== undefined && !/^\d{1,19}$/.test(asker.clusterId))
    throw wrongUse(`--cluster-id: found "${asker.clusterId}"; allowed: a whole number`);
  const source =
    target === undefined
      ? await fromSnapshot(config, clock)
      : await fromGateway(
          parseTarget(target, options.tls),
          asker,
          config.managers.requestTimeoutMs + GRACE_MS,
        );
  for (const line of source.missing) stderr.write(`${line}\n`);
  const known = knownFrom(source.answers);
  const cluster = choose(known, asker.clusterId, format);
  if (typeof cluster === 'string') {
    stderr.write(`${source.name}: ${cluster}\n`);
    return EXIT.nothing;
  }
  const heading = { version: VERSION, nowWallMs: clock.wallMs(), source: source.name };
  const text = dynconfig(format, cluster, known, heading);
  if (options.out === '-') options.stdout.write(text);
  else await writeFile(options.out, text);
  return EXIT.written;
}

/** The cluster to write of, or why there is none. */
function choose({ clusters }: Known, clusterId: string | undefined, format: Format): KnownCluster | string {
  const names = clusters.map(({ id, name }) => `${id} "${name}"`).join(', ');
  if (clusters.length === 0) return 'nothing is known of any cluster';
  if (clusterId === undefined && clusters.length > 1)
    return `several clusters are known, choose one with --cluster-id: ${names}`;
  const cluster = clusterId === undefined ? clusters[0] : clusters.find(({ id }) => id === clusterId);
  if (cluster === undefined) return `nothing is known of cluster ${clusterId}; known are ${names}`;
  if (format === 'dynconfig-daemon' && cluster.schedulers.length === 0)
    return `no scheduler of cluster ${cluster.id} is known`;
  return cluster;
}

function wrongUse(text: string): GatewayError {
  return new GatewayError('config-invalid', text);
}
