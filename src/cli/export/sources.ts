import { decodeSnapshot } from '../../cache/snapshot/format.js';
import { snapshotFile } from '../../cache/snapshot/snapshot.js';
import type { Config } from '../../config/config.js';
import { systemBootClock } from '../../durable/boot-clock.js';
import { readUpTo } from '../../durable/files.js';
import { encodeRequest } from '../../route/proto.js';
import type { Clock } from '../../rpc/clock.js';
import { Code, statusText } from '../../rpc/status.js';
import { createGatewayCaller, type GatewayTarget } from '../gateway-caller.js';
import type { KeptAnswer } from './known.js';

/** Answers, where they were kept, and what could not be had. */
export interface Source {
  readonly answers: readonly KeptAnswer[];
  readonly name: string;
  readonly missing: readonly string[];
}

const MAX_SNAPSHOT_BYTES = 1024 * 1024 * 1024;
const LIST = '/manager.v2.Manager/ListSchedulers';
const APPLICATIONS = '/manager.v2.Manager/ListApplications';

/** The answers on disk: needs neither a manager nor a gateway that runs. */
export async function fromSnapshot(
  { snapshot, fleet }: Pick<Config, 'snapshot' | 'fleet'>,
  clock: Clock,
): Promise<Source> {
  const file = snapshotFile(snapshot.dir, fleet.id);
  const name = `the snapshot ${file}`;
  const bytes = await readUpTo(file, MAX_SNAPSHOT_BYTES);
  if (bytes === undefined) return { answers: [], name, missing: [`${file}: no such file`] };
  const now = { wallMs: clock.wallMs(), nowMs: clock.nowMs() };
  const { entries } = decodeSnapshot(bytes, {
    fleetId: fleet.id,
    // Whoever exports has nothing better: the age is told, and nothing is too old.
    maxStaleMs: Number.MAX_SAFE_INTEGER,
    now,
    boot: systemBootClock(),
  });
  const answers = entries.flatMap(({ question, reply, askedAtMs }) =>
    reply.status.code === Code.OK
      ? [{ path: question.path, message: reply.message ?? Buffer.alloc(0), ageMs: now.nowMs - askedAtMs }]
      : [],
  );
  return { answers, name, missing: answers.length === 0 ? [`${file}: no answers in it`] : [] };
}

export interface Asker {
  readonly hostname: string;
  readonly ip: string;
  readonly idc?: string;
  readonly location?: string;
  readonly clusterId?: string;
}

/** What a running gateway answers: its last good answers, when the manager is away. */
export async function fromGateway(target: GatewayTarget, asker: Asker, timeoutMs: number): Promise<Source> {
  const { hostname, ip, idc, location, clusterId } = asker;
  const caller = createGatewayCaller(target);
  const who = { source_type: 'PEER_SOURCE', hostname, ip };
  const questions = [
    {
      path: LIST,
      fields: {
        ...who,
        ...(idc === undefined ? {} : { idc }),
        ...(location === undefined ? {} : { location }),
        ...(clusterId === undefined ? {} : { scheduler_cluster_id: clusterId }),
      },
    },
    { path: APPLICATIONS, fields: who },
  ];
  const answers: KeptAnswer[] = [];
  const missing: string[] = [];
  try {
    for (const { path, fields } of questions) {
      const { status, message, trailers } = await caller.call(path, encodeRequest(path, fields), timeoutMs);
      if (status.code === Code.OK) {
        const ageMs = Number(trailers['x-dfmgw-age-ms'] ?? 0);
        answers.push({ path, message: message ?? Buffer.alloc(0), ageMs });
      } else if (!(path === APPLICATIONS && status.code === Code.NOT_FOUND)) {
        // No application with a priority is NOT_FOUND, and an empty list here.
        missing.push(`${path.slice(1)}: ${statusText(status)}`);
      }
    }
  } finally {
    caller.close();
  }
  return { answers, name: `the gateway ${target.authority}`, missing };
}
