import type { MethodDefinition } from '@grpc/proto-loader';
import { loadServiceDefinitions } from '../../../src/route/proto.js';
import type { RawAnswer, RawClient } from './raw-client.js';

type Message = Record<string, unknown>;

function methodAt(path: string): MethodDefinition<object, object> {
  const services = Object.values(loadServiceDefinitions()).flatMap((service) => Object.values(service));
  const method = services.find((candidate) => candidate.path === path);
  if (method === undefined) throw new Error(`no method ${path}`);
  return method as unknown as MethodDefinition<object, object>;
}

export const V2 = '/manager.v2.Manager';
export const V1 = '/manager.Manager';
export const HEALTH = '/grpc.health.v1.Health';

export function requestBytes(path: string, message: Message): Buffer {
  return methodAt(path).requestSerialize(message);
}

export type Told = { readonly code: number; readonly message: string; readonly answer: Message };

/** Asks with fields and reads the answer as fields. */
export async function ask(
  client: RawClient,
  path: string,
  message: Message,
  deadlineMs?: number,
): Promise<Told> {
  const raw: RawAnswer = await client.unary(
    path,
    requestBytes(path, message),
    deadlineMs === undefined ? {} : { deadlineMs },
  );
  const answer =
    raw.response === undefined ? {} : (methodAt(path).responseDeserialize(raw.response) as Message);
  return { code: raw.code, message: raw.message, answer };
}

/** Hostnames of a list, in its order. */
export function hostnames(told: Told): string[] {
  const list = (told.answer.schedulers ?? told.answer.seed_peers ?? []) as { hostname: string }[];
  return list.map(({ hostname }) => hostname);
}

export const listSchedulers = (client: RawClient, fields: Message = {}) =>
  ask(client, `${V2}/ListSchedulers`, { source_type: 1, hostname: 'daemon', ip: '10.2.0.1', ...fields });

export const getScheduler = (client: RawClient, fields: Message = {}, deadlineMs?: number) =>
  ask(
    client,
    `${V2}/GetScheduler`,
    { hostname: 'sched-a', ip: '10.1.0.1', scheduler_cluster_id: 1, ...fields },
    deadlineMs,
  );

export const keepAliveBeat = (fields: Message = {}): Buffer =>
  requestBytes(`${V2}/KeepAlive`, { hostname: 'sched-a', ip: '10.1.0.1', cluster_id: 1, ...fields });
