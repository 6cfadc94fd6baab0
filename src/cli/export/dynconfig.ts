import { stringify } from 'yaml';
import { formatHostPort } from '../../config/addresses.js';
import { formatDuration } from '../../config/durations.js';
import type { Known, KnownCluster } from './known.js';

export const FORMATS = ['dynconfig-scheduler', 'dynconfig-daemon'] as const;
export type Format = (typeof FORMATS)[number];

type Fields = Readonly<Record<string, unknown>>;

/** Keys that a scheduler's local dynconfig knows (protocol.md §7). */
const SCHEDULER_CLUSTER_KEYS = ['candidateParentLimit', 'filterParentLimit', 'jobRateLimit'];
const LOAD_KEYS = ['loadLimit'];
/** Keys that a daemon's local dynconfig knows. */
const CLIENT_KEYS = ['blockList'];

export interface Heading {
  readonly version: string;
  readonly nowWallMs: number;
  /** Where the answers were kept, in words. */
  readonly source: string;
}

/** A `dynconfig.yaml`, and above it whose it is and how old what it says. */
export function dynconfig(format: Format, cluster: KnownCluster, known: Known, heading: Heading): string {
  const { applications } = known;
  const what = format === 'dynconfig-scheduler' ? 'schedulers' : 'daemons';
  const lines = [
    `dynconfig.yaml for the ${what} of cluster ${cluster.id} "${cluster.name}", to run without a manager.`,
    `Written by manager-gateway ${heading.version} at ${iso(heading.nowWallMs)}, from ${heading.source}.`,
    `The manager said this of the cluster ${age(cluster.ageMs, heading)}.`,
  ];
  if (format === 'dynconfig-scheduler') {
    lines.push(
      applications === undefined
        ? 'Nothing is known of applications: the list is empty.'
        : `It said this of applications ${age(applications.ageMs, heading)}.`,
    );
  }
  const content = format === 'dynconfig-scheduler' ? forScheduler(cluster, known) : forDaemon(cluster);
  const comment = lines.map((line) => `# ${line.replaceAll(/[\r\n]+/g, ' ')}\n`).join('');
  return comment + stringify(content, { lineWidth: 0 });
}

function forScheduler(cluster: KnownCluster, { applications }: Known): Fields {
  return {
    applications: (applications?.items ?? []).map(application),
    ...section('seedPeerClusterConfig', cluster.seedPeerConfig ?? {}, LOAD_KEYS),
    ...section('schedulerClusterConfig', cluster.config, SCHEDULER_CLUSTER_KEYS),
    ...section('schedulerClusterClientConfig', cluster.clientConfig, LOAD_KEYS),
  };
}

/** Schedulers that were active; if none was, all: each daemon checks for itself. */
function forDaemon(cluster: KnownCluster): Fields {
  const active = cluster.schedulers.filter((scheduler) => scheduler.active);
  const schedulers = active.length > 0 ? active : cluster.schedulers;
  const addrs = [...new Set(schedulers.map(({ host, port }) => formatHostPort({ host, port })))].sort();
  return {
    scheduler: { addrs },
    ...section('clientConfig', cluster.clientConfig, CLIENT_KEYS),
    ...section('seedClientConfig', cluster.seedClientConfig, CLIENT_KEYS),
  };
}

/** Only what the local file knows; left out where nothing is said, which leaves the default in force. */
function section(name: string, document: Fields, keys: readonly string[]): Fields {
  const written = camelCased(document) as Fields;
  const kept = keys.filter((key) => written[key] !== undefined && written[key] !== null);
  if (kept.length === 0) return {};
  return { [name]: Object.fromEntries(kept.map((key) => [key, written[key]])) };
}

/** The manager's JSON is in snake case, the files are in camel case. */
function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
      camelCased(inner),
    ]),
  );
}

function application({ name, url, bio, priority }: Fields): Fields {
  const { value, urls } = (priority ?? {}) as { value?: unknown; urls?: readonly Fields[] };
  return {
    name,
    url,
    bio,
    ...(priority
      ? {
          priority: {
            value: level(value),
            urls: (urls ?? []).map((one) => ({ regex: one.regex, value: level(one.value) })),
          },
        }
      : {}),
  };
}

/** `LEVEL6` is 6: the file holds the number that the API gives it. */
function level(value: unknown): number {
  return Number(/\d+$/.exec(String(value))?.[0] ?? 0);
}

function age(ageMs: number, { nowWallMs }: Heading): string {
  const whole = Math.max(1_000, Math.round(ageMs / 1_000) * 1_000);
  return `${formatDuration(whole)} before (${iso(nowWallMs - ageMs)})`;
}

function iso(wallMs: number): string {
  return new Date(wallMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
