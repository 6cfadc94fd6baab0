import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { protoDirectory } from '../../src/route/proto.js';
import { type ProtoSchema, readProtoSchema } from '../route/proto-schema.js';
import { driftOf, type PublicSchema } from './proto-drift/compare.js';
import { PUBLIC_VERSIONS, publicSchema } from './proto-drift/public-schema.js';

const MANAGER_V2 = 'manager/v2/manager.proto';

const ours = readProtoSchema(protoDirectory());
const publics: PublicSchema[] = [];
const scratch = mkdtempSync(join(tmpdir(), 'proto-drift-'));

beforeAll(async () => {
  // One after the other: two compilers at once are slower on small machines.
  for (const version of PUBLIC_VERSIONS) publics.push(await publicSchema(version));
}, 600_000);

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Our files with one text replaced, parsed again. */
function edited(file: string, from: string, to: string): ProtoSchema {
  const directory = mkdtempSync(join(scratch, 'edited-'));
  cpSync(protoDirectory(), directory, { recursive: true });
  const text = readFileSync(join(directory, file), 'utf8');
  if (!text.includes(from)) throw new Error(`${file} does not hold "${from}"`);
  writeFileSync(join(directory, file), text.replace(from, to));
  return readProtoSchema(directory);
}

describe('proto/', () => {
  it('says what the public API says in both of its versions, and nothing else', () => {
    expect(driftOf(ours, publics)).toEqual([]);
  });

  it('is compared with what managers really speak', () => {
    const methods = publics.map(({ version, schema }) => [
      version,
      Object.entries(schema.services).map(([service, { length }]) => `${service} ${length}`),
    ]);

    expect(Object.fromEntries(methods)).toEqual({
      'v2.0.148': expect.arrayContaining([
        'manager.Manager 11',
        'manager.v2.Manager 9',
        'security.Certificate 1',
      ]),
      'v2.2.32': expect.arrayContaining([
        'manager.Manager 8',
        'manager.v2.Manager 9',
        'grpc.health.v1.Health 3',
      ]),
    });
  });
});

describe('the comparison', () => {
  it('names a changed number, in every version that has the field', () => {
    const schema = edited(MANAGER_V2, 'bytes scopes = 6;', 'bytes scopes = 16;');

    expect(driftOf(schema, publics)).toEqual([
      'field manager.v2.SchedulerCluster.scopes: number is 6 in v2.0.148, 16 here',
      'field manager.v2.SchedulerCluster.scopes: number is 6 in v2.2.32, 16 here',
    ]);
  });

  it.each([
    [
      'type',
      'int32 port = 6;',
      'uint32 port = 6;',
      'field manager.v2.Scheduler.port: kind is int32 in v2.2.32, uint32 here',
    ],
    [
      'presence',
      'optional string idc = 3;',
      'string idc = 3;',
      'field manager.v2.Scheduler.idc: label is optional in v2.2.32, singular here',
    ],
    [
      'repetition',
      'repeated Scheduler schedulers = 1;',
      'Scheduler schedulers = 1;',
      'field manager.v2.ListSchedulersResponse.schedulers: label is repeated in v2.2.32, singular here',
    ],
    [
      'message',
      'SchedulerCluster scheduler_cluster = 9;',
      'SeedPeerCluster scheduler_cluster = 9;',
      'field manager.v2.Scheduler.scheduler_cluster: type is manager.v2.SchedulerCluster in v2.2.32, manager.v2.SeedPeerCluster here',
    ],
    [
      'lost field',
      'bytes seed_client_config = 7;',
      '',
      'field manager.v2.SchedulerCluster.seed_client_config of v2.2.32 is missing',
    ],
    [
      'field of our own',
      'bytes scopes = 6;',
      'bytes scopes = 6; bytes scope = 99;',
      'field manager.v2.SchedulerCluster.scope is in no public version',
    ],
    [
      'enum value',
      'SEED_PEER_SOURCE = 2;',
      'SEED_PEER_SOURCE = 3;',
      'value manager.v2.SourceType.SEED_PEER_SOURCE: number is 2 in v2.2.32, 3 here',
    ],
    [
      'streaming',
      '(stream KeepAliveRequest)',
      '(KeepAliveRequest)',
      'method manager.v2.Manager/KeepAlive: clientStream is true in v2.2.32, false here',
    ],
  ])('names a changed %s', (_what, from, to, line) => {
    expect(driftOf(edited(MANAGER_V2, from, to), publics)).toContain(line);
  });

  it('names any number that is changed, one at a time', () => {
    for (const [message, fields] of Object.entries(ours.messages)) {
      for (const field of fields) {
        const others = fields.filter((other) => other !== field);
        const messages = {
          ...ours.messages,
          [message]: [...others, { ...field, number: field.number + 1000 }],
        };
        const drift = driftOf({ ...ours, messages }, publics);

        expect(drift.length).toBeGreaterThan(0);
        for (const line of drift)
          expect(line).toContain(`field ${message}.${field.name}: number is ${field.number} in`);
      }
    }
  });
});

describe('without a Go toolchain', () => {
  it('the check fails and says so', async () => {
    await expect(publicSchema('v2.2.32', { PATH: scratch })).rejects.toThrow('the Go toolchain is missing');
  });
});
