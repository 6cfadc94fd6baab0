import { formatHostPort } from '../../config/addresses.js';
import type { Config } from '../../config/config.js';
import { GatewayError } from '../../errors.js';
import { decodeResponse, encodeRequest } from '../../route/proto.js';
import { Code, statusText } from '../../rpc/status.js';
import { createAside } from '../aside.js';
import type { Output } from '../demo/screen.js';
import { createGatewayCaller, type Said } from '../gateway-caller.js';
import { textOf } from './finding.js';

export interface SimulateCallerOptions {
  readonly config: Config;
  /** `key=value`, separated by commas. */
  readonly caller: string;
  readonly json: boolean;
  readonly stdout: Output;
}

const LIST = '/manager.v2.Manager/ListSchedulers';
const KEYS = ['hostname', 'ip', 'idc', 'location', 'scheduler_cluster_id'] as const;
const REQUIRED = ['hostname', 'ip'] as const;
const GRACE_MS = 1_000;
/** A start of its own may read a large snapshot, and a manager may be away. */
const ANSWER_MS = 15_000;

/**
 * Shows the schedulers that this daemon would get. Asked of the gateway that runs on `server.listen`; where none does, of
 * what answers in one, with the snapshot. Resolves with the exit code: 0 it gets schedulers, 1 it gets none.
 */
export async function simulateCaller({
  config,
  caller,
  json,
  stdout,
}: SimulateCallerOptions): Promise<number> {
  const fields = { source_type: 'PEER_SOURCE', ...readCaller(caller) };
  const message = encodeRequest(LIST, fields);
  const running = await askAt(localOf(config), config, message);
  const said = running ?? (await askOwn(config, message));
  const outcome = outcomeOf(
    said,
    running === undefined ? 'a gateway of its own, started from the snapshot' : 'the gateway that runs here',
  );
  stdout.write(json ? `${JSON.stringify(outcome)}\n` : asText(outcome));
  return outcome.schedulers.length > 0 ? 0 : 1;
}

/** Throws `config-invalid` on what is no `key=value`, or lacks a key that the manager insists on. */
export function readCaller(text: string): Record<string, string> {
  const allowed = `hostname=…,ip=… and, if wanted, ${KEYS.slice(2)
    .map((key) => `${key}=…`)
    .join(', ')}`;
  const refuse = (found: string): never => {
    throw new GatewayError('config-invalid', `--simulate-caller: found ${found}; allowed: ${allowed}`);
  };
  const fields: Record<string, string> = {};
  for (const part of text.split(',')) {
    const [key = '', value] = part.split(/=(.*)/s, 2);
    if (value === undefined || !KEYS.some((known) => known === key)) refuse(`"${part}"`);
    if (key in fields) refuse(`${key} twice`);
    fields[key] = value ?? '';
  }
  for (const key of REQUIRED) if (!fields[key]) refuse(`no ${key} in "${text}"`);
  if (fields.scheduler_cluster_id !== undefined && !/^\d+$/.test(fields.scheduler_cluster_id)) {
    refuse(`scheduler_cluster_id "${fields.scheduler_cluster_id}", which is no number`);
  }
  return fields;
}

/** Where a gateway of this configuration can be reached from here. */
function localOf({ server }: Config): { host: string; port: number } {
  const { host, port } = server.listen;
  const any = host === '' || host === '0.0.0.0' || host === '::';
  return { host: any ? '127.0.0.1' : host, port };
}

/** undefined: no gateway answers there. */
async function askAt(
  addr: { host: string; port: number },
  config: Config,
  message: Buffer,
): Promise<Said | undefined> {
  if (addr.port === 0) return undefined;
  const { tls } = config.server;
  const target = {
    authority: formatHostPort(addr),
    tls: tls.cert !== '',
    caCert: tls.cert,
    cert: tls.cert,
    key: tls.key,
  };
  const caller = createGatewayCaller(target);
  try {
    const said = await caller.call(LIST, message, ANSWER_MS);
    // Only a gateway says where an answer came from, and its refusals are in its name.
    const isGateway =
      said.trailers['x-dfmgw-cache'] !== undefined || said.status.message.startsWith('manager-gateway');
    return isGateway ? said : undefined;
  } finally {
    caller.close();
  }
}

async function askOwn(config: Config, message: Buffer): Promise<Said> {
  const aside = createAside({ config, snapshot: true, logDestination: { write: () => undefined } });
  await aside.start();
  try {
    return await aside.call(LIST, message, Math.max(ANSWER_MS, config.managers.requestTimeoutMs + GRACE_MS));
  } finally {
    await aside.stop();
  }
}

interface Outcome {
  readonly asked: string;
  readonly status: string;
  /** Best first, as the daemon would try them. */
  readonly schedulers: readonly {
    readonly hostname: string;
    readonly address: string;
    readonly cluster: string;
    readonly state: string;
  }[];
  /** `x-dfmgw-*`, without the prefix. */
  readonly source: string;
  readonly via: string;
  readonly ageMs: number | undefined;
  readonly why: string;
}

type Row = {
  readonly hostname?: string;
  readonly ip?: string;
  readonly port?: number;
  readonly state?: string;
  readonly scheduler_cluster_id?: string;
  readonly scheduler_cluster?: { readonly name?: string } | null;
};

function outcomeOf({ status, message, trailers }: Said, asked: string): Outcome {
  const source = trailers['x-dfmgw-cache'] ?? '';
  const via = trailers['x-dfmgw-via'] ?? '';
  const age = trailers['x-dfmgw-age-ms'];
  const base = {
    asked,
    source,
    via,
    ageMs: age === undefined ? undefined : Number(age),
    status: statusText(status),
  };
  if (status.code !== Code.OK)
    return { ...base, schedulers: [], why: 'there is no answer, not even an old one' };
  try {
    const rows = (decodeResponse(LIST, message ?? Buffer.alloc(0)).schedulers ?? []) as readonly Row[];
    const schedulers = rows.map((row) => ({
      hostname: row.hostname ?? '',
      address: formatHostPort({ host: row.ip ?? '', port: row.port ?? 0 }),
      cluster: row.scheduler_cluster?.name ?? row.scheduler_cluster_id ?? '',
      state: row.state ?? '',
    }));
    return { ...base, schedulers, why: whyOf(source, via) };
  } catch (error) {
    return { ...base, schedulers: [], why: `the answer cannot be read: ${textOf(error)}` };
  }
}

const SOURCES: Readonly<Record<string, string>> = {
  hit: 'fresh, from memory',
  stale: 'the last good answer, because the manager has not given a newer one in time',
  miss: 'asked of the manager just now',
};
const VIAS: Readonly<Record<string, string>> = {
  shared: 'stored once for all who would get the same list (cache.sharing)',
  sibling: 'given before to others with the same cluster id, idc and location',
  coalesced: 'asked together with others',
  redis: 'fetched by another replica',
};

function whyOf(source: string, via: string): string {
  const how = VIAS[via] ?? (via === '' ? 'as an answer to this daemon' : via);
  return `${SOURCES[source] ?? source}; ${how}`;
}

function asText(outcome: Outcome): string {
  const age = outcome.ageMs === undefined ? '' : `, ${(outcome.ageMs / 1000).toFixed(1)} s old`;
  const rows = outcome.schedulers.map(
    ({ hostname, address, cluster, state }, index) =>
      `${String(index + 1).padStart(3)}. ${hostname} ${address}, cluster ${cluster}, ${state}`,
  );
  const list = rows.length === 0 ? ['  no scheduler: a Rust daemon exits at its start'] : rows;
  return `${[`asked: ${outcome.asked}`, `answer: ${outcome.status}${age}: ${outcome.why}`, ...list].join('\n')}\n`;
}
