import type { AdminClient } from './admin-client.js';
import type { Paint } from './demo/paint.js';
import type { Output } from './demo/screen.js';

/** Exit codes: well, something to look at, nobody or not everybody is served. */
const EXIT = { well: 0, care: 1, bad: 2 } as const;
const COLOUR = { well: 'green', care: 'yellow', bad: 'red' } as const;

type Status = {
  readonly health: keyof typeof EXIT;
  readonly sentence: string;
  readonly mode: string;
  readonly version: string;
  readonly upMs: number;
  readonly connections: number;
  readonly cache: { readonly entries: number; readonly sizeBytes: number };
  readonly lastHour: { readonly reads: number; readonly spared: number };
  readonly nodes: { readonly live: number; readonly disputed: number };
  readonly pendingRegistrations: number;
};
type Manager = {
  readonly address: string;
  readonly state: string;
  readonly latencyMs: number | null;
  readonly readyChannels: number;
  readonly channels: number;
  readonly detail: string;
};

/** `manager-gateway status`: how the gateway that runs is. Resolves with the exit code. */
export async function runStatus(options: {
  readonly client: AdminClient;
  readonly json: boolean;
  readonly stdout: Output;
  readonly paint: Paint;
}): Promise<number> {
  const { client, json, stdout, paint } = options;
  const status = (await client.get('/api/status')) as Status;
  const { managers } = (await client.get('/api/managers')) as { managers: readonly Manager[] };
  stdout.write(json ? `${JSON.stringify({ ...status, managers })}\n` : asText(status, managers, paint));
  return EXIT[status.health];
}

function asText(status: Status, managers: readonly Manager[], paint: Paint): string {
  const { cache, lastHour, nodes } = status;
  const rows: [string, string][] = [
    ['version', `${status.version}, up ${duration(status.upMs)}, mode ${status.mode}`],
    ['callers', `${status.connections} connections`],
    ['last hour', `${lastHour.reads} reads, ${lastHour.spared} of them without the manager`],
    ['remembered', `${cache.entries} answers, ${(cache.sizeBytes / 2 ** 20).toFixed(1)} MiB`],
    ['nodes', `${nodes.live} alive, of ${nodes.disputed} the manager says otherwise`],
    ['registrations', `${status.pendingRegistrations} to be made up for`],
    ...managers.map((manager): [string, string] => ['manager', managerText(manager)]),
  ];
  const lines = rows.map(([name, text]) => `${paint('dim', name.padEnd(14))}${text}`);
  return `${[paint(COLOUR[status.health], status.sentence), ...lines].join('\n')}\n`;
}

function managerText({ address, state, latencyMs, readyChannels, channels, detail }: Manager): string {
  const latency = latencyMs === null ? '' : `, ${latencyMs} ms`;
  const why = state === 'healthy' || detail === '' ? '' : `: ${detail}`;
  return `${address} ${state}${latency}, ${readyChannels} of ${channels} channels ready${why}`;
}

function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1_000)} s`;
  const [days, hours] = [Math.floor(minutes / 1_440), Math.floor((minutes % 1_440) / 60)];
  return `${days > 0 ? `${days} d ` : ''}${days > 0 || hours > 0 ? `${hours} h ` : ''}${minutes % 60} min`;
}
