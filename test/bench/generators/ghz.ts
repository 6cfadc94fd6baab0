import { run } from '../processes.js';
import type { Load } from './h2load.js';

/** Of calls offered at a rate, by a real gRPC client (grpc-go). */
export interface Latency {
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export const OFFERED_PER_SECOND = 3_000;

/** Of each run these are offered and not counted: ghz opens its connections with its first calls, and 200 of them are a wave of their own (churn has a row). */
export const SKIPPED = OFFERED_PER_SECOND;

/** 3,000 calls a second. Rejects if one of them failed. */
export async function ghz({ port, shape, seconds, passing, cores }: Load): Promise<Latency> {
  const text = await run(
    '.bench/bin/ghz',
    [
      ...['--insecure', '--format', 'json', '--proto', 'test/bench/list.proto'],
      ...['--call', 'manager.v2.Manager.ListSchedulers'],
      ...[
        '--data',
        '{"source_type":1,"hostname":"daemon-y","ip":"10.2.0.2","version":"v1.5.1","commit":"abc1234"}',
      ],
      ...(passing ? ['--metadata', '{"authorization":"bench"}'] : []),
      ...['--rps', String(OFFERED_PER_SECOND), '--total', String(SKIPPED + OFFERED_PER_SECOND * seconds)],
      ...['--skipFirst', String(SKIPPED)],
      ...[
        '--connections',
        String(shape.connections),
        '--concurrency',
        String(shape.connections * shape.streams),
      ],
      `127.0.0.1:${port}`,
    ],
    cores,
  );
  return parseGhz(text);
}

interface Report {
  /** Calls that are counted, over the whole time. */
  readonly rps: number;
  readonly count: number;
  readonly statusCodeDistribution: Readonly<Record<string, number>>;
  readonly latencyDistribution: readonly { readonly percentage: number; readonly latency: number }[];
}

/** What ghz prints as JSON; its times are nanoseconds. Throws if a call failed. */
export function parseGhz(text: string): Latency {
  const { rps, count, statusCodeDistribution, latencyDistribution } = JSON.parse(text) as Report;
  const other = Object.keys(statusCodeDistribution).filter((code) => code !== 'OK');
  if (other.length > 0) throw new Error(`calls ended with ${JSON.stringify(statusCodeDistribution)}`);
  const at = (wanted: number): number => {
    const found = latencyDistribution.find(({ percentage }) => percentage === wanted);
    if (found === undefined) throw new Error(`ghz did not tell percentile ${wanted}`);
    return found.latency / 1e6;
  };
  return { callsPerSecond: (rps * (count + SKIPPED)) / count, p50Ms: at(50), p99Ms: at(99) };
}
