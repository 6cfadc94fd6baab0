import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.js';
import {
  decodeRequest,
  decodeResponse,
  isDescribed,
  loadServiceDefinitions,
  type MessageFields,
  protoDirectory,
  requestFieldNumbers,
  type ServiceName,
} from '../../src/route/proto.js';
import { readProtoSchema } from './proto-schema.js';
import { wireFields } from './wire-fields.js';

interface Recording {
  readonly path: string;
  readonly code?: number;
  readonly note?: string;
  readonly fault?: string;
  readonly request?: string;
  readonly response?: string;
  readonly requestFields?: Readonly<Record<string, unknown>>;
}

const FILES = ['manager-v2.1.55.json', 'manager-v2.5.1.json', 'manager-faults.json'];
const UPDATE_SEED_PEER = '/manager.v2.Manager/UpdateSeedPeer';
const UPDATE_SCHEDULER = '/manager.v2.Manager/UpdateScheduler';
const LIST_SCHEDULERS = '/manager.v2.Manager/ListSchedulers';

/** What the recorder wished to send and that manager's API had no field for: in `requestFields`, never in the bytes. */
const NEVER_SENT: Readonly<Record<string, string>> = {
  [`manager-v2.1.55.json ${UPDATE_SEED_PEER}`]: 'object_storage_port',
  [`manager-v2.5.1.json ${UPDATE_SEED_PEER}`]: 'object_storage_port',
  [`manager-v2.1.55.json ${UPDATE_SCHEDULER}`]: 'features',
  [`manager-v2.1.55.json ${LIST_SCHEDULERS}`]: 'scheduler_cluster_id',
};

const KEPT_ALIVE: MessageFields = {
  source_type: 'SCHEDULER_SOURCE',
  hostname: 'sched-a',
  cluster_id: '1',
  ip: '10.1.0.1',
};

const schema = readProtoSchema(protoDirectory());
const recordings = FILES.flatMap((file) => {
  const url = new URL(`../fixtures/recordings/${file}`, import.meta.url);
  const rows = JSON.parse(readFileSync(url, 'utf8')) as Recording[];
  return rows.map((row) => ({ ...row, file, title: `${row.path}, ${file}, ${row.note ?? row.fault}` }));
});
const requests = recordings.flatMap(({ request, ...row }) =>
  request !== undefined && isDescribed(row.path) ? [{ ...row, bytes: Buffer.from(request, 'base64') }] : [],
);
const answers = recordings.flatMap(({ response, ...row }) =>
  row.code === 0 && typeof response === 'string' ? [{ ...row, bytes: Buffer.from(response, 'base64') }] : [],
);

/** Rows as vitest wants them to print a title in full. */
function titled<Row extends { readonly title: string }>(rows: readonly Row[]) {
  return rows.map((row) => [row.title, row] as const);
}

/** The definition behind a path, as a client or a server of grpc-js would use it. */
function definitionOf(path: string) {
  const [, service, method] = path.split('/');
  const definition = loadServiceDefinitions()[service as ServiceName][method ?? ''];
  const inSchema = schema.services[service ?? '']?.find(({ name }) => name === method);
  if (definition === undefined || inSchema === undefined) throw new Error(`nothing describes ${path}`);
  return { ...definition, input: inSchema.input, output: inSchema.output };
}

/** A decoded message without what only says that nothing was sent. */
function meant(fields: MessageFields): Record<string, unknown> {
  const isDefault = (value: unknown) =>
    value === null ||
    value === '0' ||
    value === 0 ||
    ((typeof value === 'string' || Array.isArray(value) || Buffer.isBuffer(value)) && value.length === 0);
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isDefault(value)));
}

describe('a recorded request', () => {
  it.each(titled(requests))('says what its caller meant: %s', (_title, row) => {
    // Of a KeepAlive only the bytes were written down.
    const wished = row.requestFields ?? KEPT_ALIVE;
    const { [NEVER_SENT[`${row.file} ${row.path}`] ?? '']: _neverSent, ...expected } = wished;

    expect(meant(decodeRequest(row.path, row.bytes))).toEqual(meant(expected));
  });

  it.each(titled(requests))('loses no field when encoded again: %s', (_title, { path, bytes }) => {
    const { input, requestSerialize } = definitionOf(path);
    const before = wireFields(schema, input, bytes);

    const after = wireFields(schema, input, requestSerialize(decodeRequest(path, bytes)));

    expect(before.filter((leaf) => leaf.startsWith('unknown'))).toEqual([]);
    expect(after.sort()).toEqual(before.sort());
  });
});

describe('a recorded answer', () => {
  it.each(titled(answers))('loses no field when decoded and encoded again: %s', (_title, { path, bytes }) => {
    const { output, responseSerialize } = definitionOf(path);
    const before = wireFields(schema, output, bytes);

    const after = wireFields(schema, output, responseSerialize(decodeResponse(path, bytes)));

    expect(before.filter((leaf) => leaf.startsWith('unknown'))).toEqual([]);
    expect(after.sort()).toEqual(before.sort());
  });

  it('gives its clusters, their scopes and its seed peers', () => {
    const newest = answers.find(
      (row) => row.path === LIST_SCHEDULERS && row.note === 'after keepalive' && row.file.includes('v2.5.1'),
    );
    const list = decodeResponse(LIST_SCHEDULERS, newest?.bytes ?? Buffer.alloc(0)) as {
      schedulers: {
        hostname: string;
        scheduler_cluster: { id: string; scopes: Buffer };
        seed_peers: { hostname: string }[];
      }[];
    };

    expect(list.schedulers.map(({ hostname }) => hostname)).toEqual(['sched-a', 'sched-b']);
    expect(list.schedulers[0]?.scheduler_cluster).toMatchObject({ id: '1', scopes: Buffer.from('{}') });
    expect(list.schedulers[0]?.seed_peers[0]?.hostname).toBe('seed-a');
  });
});

describe('the wire walk of these tests', () => {
  it('sees a field that the schema does not know, and one of another wire type', () => {
    const unknownNumber = Buffer.from([0x12, 1, 0x61, 0x4a, 1, 0x62]); // hostname "a", then number 9
    const otherType = Buffer.from([0x10, 1]); // hostname as a varint

    expect(wireFields(schema, 'manager.v2.ListSchedulersRequest', unknownNumber)).toEqual([
      'hostname=61',
      'unknown #9 of manager.v2.ListSchedulersRequest, wire type 2',
    ]);
    expect(wireFields(schema, 'manager.v2.ListSchedulersRequest', otherType)).toEqual([
      'unknown #2 of manager.v2.ListSchedulersRequest, wire type 0',
    ]);
  });
});

describe('the descriptions', () => {
  it('name the nine methods of v2, the eleven of v1, and the two other services', () => {
    const definitions = Object.entries(loadServiceDefinitions());
    const methods = definitions.map(([name, definition]) => [name, Object.keys(definition).length]);

    expect(Object.fromEntries(methods)).toEqual({
      'manager.v2.Manager': 9,
      'manager.Manager': 11,
      'security.Certificate': 1,
      'grpc.health.v1.Health': 3,
    });
  });

  it('are read once', () => {
    const first = loadServiceDefinitions()['manager.Manager'];

    expect(loadServiceDefinitions()['manager.Manager']).toBe(first);
  });

  it('tell an unset optional field from an empty one', () => {
    const { requestSerialize } = definitionOf(LIST_SCHEDULERS);

    expect(decodeRequest(LIST_SCHEDULERS, Buffer.alloc(0))).not.toHaveProperty('idc');
    expect(decodeRequest(LIST_SCHEDULERS, requestSerialize({ idc: '' }))).toHaveProperty('idc', '');
  });

  it('keep a cluster id that a double cannot hold', () => {
    const { requestSerialize } = definitionOf(LIST_SCHEDULERS);
    const bytes = requestSerialize({ scheduler_cluster_id: '18446744073709551615' });

    expect(decodeRequest(LIST_SCHEDULERS, bytes)).toHaveProperty(
      'scheduler_cluster_id',
      '18446744073709551615',
    );
  });

  it('know which field numbers a request can have', () => {
    expect(requestFieldNumbers(LIST_SCHEDULERS)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8]));
    expect(requestFieldNumbers('/manager.Manager/ListSchedulers')).toEqual(new Set([1, 2, 3, 5, 6, 7]));
  });

  it('know nothing of a method that managers do not have', () => {
    for (const path of ['/no.such.Service/X', '/manager.v2.Manager/NoSuchMethod', '', '/']) {
      expect(isDescribed(path)).toBe(false);
      expect(() => decodeRequest(path, Buffer.alloc(0))).toThrow(`no method ${path} in proto/`);
    }
    expect(isDescribed('/grpc.health.v1.Health/Check')).toBe(true);
  });
});

describe('bytes that are no message', () => {
  const truncated = Buffer.from([0x12, 200, 0x61]);

  it('are a malformed request', () => {
    expect(errorOf(() => decodeRequest(LIST_SCHEDULERS, truncated)).code).toBe('malformed-request');
  });

  it('are, as an answer, nothing that the caller did wrong', () => {
    expect(errorOf(() => decodeResponse(LIST_SCHEDULERS, truncated)).code).toBe('internal');
  });

  it('end in an error however they look', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeRequest('/manager.Manager/ListSchedulers', Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
        }
      }),
    );
  });

  it('end in an error when they nest without an end', () => {
    // A scheduler with seed peers (10) with schedulers (12) with …, 20,000 deep.
    const heads: Buffer[] = [];
    let length = 0;
    for (let depth = 19_999; depth >= 0; depth--) {
      const head = Buffer.from([((depth % 2 === 0 ? 10 : 12) << 3) | 2, ...varint(length)]);
      heads.push(head);
      length += head.length;
    }
    const message = Buffer.concat(heads.reverse());

    expect(errorOf(() => decodeResponse('/manager.v2.Manager/GetScheduler', message)).code).toBe('internal');
  });
});

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 128))];
}

function errorOf(action: () => unknown): GatewayError {
  try {
    action();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
