import { describe, expect, test } from 'vitest';
import { METHODS } from '../../src/config/methods.js';
import { REQUEST_FIELDS } from '../../src/config/warmup-request.js';
import { METHOD_TABLE } from '../../src/route/method-table.js';
import { decodeRequest } from '../../src/route/proto.js';
import { load, refusals } from './refusals.js';

test('questions are read, v2 unless they say otherwise', () => {
  const text = `warmup:
  requests:
    - { method: ListSchedulers, request: { hostname: d1, ip: 10.0.0.1, scheduler_cluster_id: 1 } }
    - { method: ListBuckets, version: v1 }
    - { method: GetScheduler, request: { source_type: SCHEDULER_SOURCE, scheduler_cluster_id: "18446744073709551" } }
    - { method: ListSchedulers, version: v1, request: { host_info: { idc: a } } }
`;
  expect(load(text).warmup.requests.slice(0, 2)).toEqual([
    {
      method: 'ListSchedulers',
      version: 'v2',
      request: { hostname: 'd1', ip: '10.0.0.1', scheduler_cluster_id: 1 },
    },
    { method: 'ListBuckets', version: 'v1', request: {} },
  ]);
  expect(load('').warmup.requests).toEqual([]);
});

describe('a question that cannot be asked is told with its place', () => {
  test.each([
    ['[5]', 'warmup.requests[0] (g.yaml:1:22): found 5 (it is not a section with method, version, request)'],
    ['[{ request: {} }]', 'warmup.requests[0] (g.yaml:1:22): found {"request":{}} (the method is missing)'],
    ['[{ method: ListScheduler }]', 'warmup.requests[0].method (g.yaml:1:32): found "ListScheduler"'],
    ['[{ method: ListScheduler }]', 'did you mean ListSchedulers?'],
    ['[{ method: UpdateScheduler }]', 'a method that is no read'],
    ['[{ method: GetObjectStorage, version: v1 }]', 'its answer holds credentials'],
    ['[{ method: ListBuckets }]', 'ListBuckets is there in v1'],
    ['[{ method: ListApplications, version: v3 }]', 'requests[0].version (g.yaml:1:59): found "v3"'],
    ['[{ method: ListApplications, requests: {} }]', 'an unknown key; there are method, version, request'],
    ['[{ method: ListApplications, request: 5 }]', 'it is not a section of fields'],
    [
      '[{ method: ListApplications, request: { host: a } }]',
      'an unknown field; there are source_type, hostname, ip',
    ],
    ['[{ method: ListApplications, request: { __proto__: a } }]', 'an unknown field'],
    [
      '[{ method: ListApplications, request: { ip: 5 } }]',
      'requests[0].request.ip (g.yaml:1:65): found 5 (it is not text)',
    ],
    ['[{ method: GetScheduler, request: { scheduler_cluster_id: -1 } }]', 'it is not a whole number'],
    [
      '[{ method: GetScheduler, request: { source_type: DAEMON } }]',
      'it is none of SCHEDULER_SOURCE, PEER_SOURCE',
    ],
    [
      '[{ method: ListSchedulers, version: v1, request: { host_info: { a: 1 } } }]',
      'it is not texts by name',
    ],
  ])('%s', (written, words) => {
    const lines = refusals(`warmup: { requests: ${written} }`);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(words);
  });

  test('and all of them at once', () => {
    expect(
      refusals(
        'warmup: { requests: [{ method: x }, { method: ListApplications, request: { a: 1, b: 2 } }] }',
      ),
    ).toHaveLength(3);
  });
});

test('the fields are those of proto/, of every read whose answer holds no credentials', () => {
  const reads = [...METHOD_TABLE].flatMap(([path, route]) =>
    route.kind === 'read' && !route.secret ? [{ path, route }] : [],
  );
  for (const { path, route } of reads) {
    const fields = REQUEST_FIELDS[route.method as keyof typeof REQUEST_FIELDS]?.[route.version];
    const optional = path === '/manager.v2.Manager/ListSchedulers' ? ['idc', 'location'] : [];
    const known = [...Object.keys(decodeRequest(path, Buffer.alloc(0))), ...optional];
    expect([path, Object.keys(fields ?? {}).sort()]).toEqual([path, [...new Set(known)].sort()]);
  }
  expect(reads.length).toBe(
    Object.values(REQUEST_FIELDS).reduce((sum, versions) => sum + Object.keys(versions).length, 0),
  );
  expect(Object.keys(REQUEST_FIELDS).sort()).toEqual(
    METHODS.filter((method) => method !== 'GetObjectStorage').toSorted(),
  );
});
