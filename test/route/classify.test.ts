import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createClassifier } from '../../src/route/classify.js';
import { METHOD_TABLE, methodLabel } from '../../src/route/method-table.js';
import { decodeRequest, isDescribed, requestFieldNumbers } from '../../src/route/proto.js';
import { wireFields } from '../../src/route/wire.js';
import { keyOf } from '../../src/rpc/key.js';
import { requestOf } from '../support/data-path.js';

const decoder = { decodeRequest, requestFieldNumbers };
const classifier = createClassifier({ fleetId: 'f', decoder });
const LIST = '/manager.v2.Manager/ListSchedulers';

describe('the table of methods', () => {
  it('names only methods that proto/ describes', () => {
    expect([...METHOD_TABLE.keys()].filter((path) => !isDescribed(path))).toEqual([]);
  });

  it('labels what it does not know `other`, so that a stranger cannot make labels', () => {
    expect(methodLabel('/manager.v2.Manager/ListSchedulers')).toBe('manager.v2.Manager/ListSchedulers');
    expect(methodLabel('/no.such/Thing')).toBe('other');
  });
});

describe('a question', () => {
  it('has the same key exactly when its parts are the same', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary' })),
        fc.array(fc.string({ unit: 'binary' })),
        (a, b) => {
          expect(keyOf(a).key === keyOf(b).key).toBe(JSON.stringify(a) === JSON.stringify(b));
        },
      ),
    );
  });

  it('is not what text in another encoding than UTF-8 asks: two of those would look alike', () => {
    const v1 = '/manager.Manager/ListSchedulers';
    for (const [path, fields] of [
      [LIST, { hostname: '??', ip: '127.0.0.1' }],
      [v1, { hostname: 'h', host_info: { idc: '??' } }],
      [v1, { hostname: 'h', host_info: { '??': 'x' } }],
    ] as const) {
      const message = requestOf(path, fields);
      expect(classifier.question(path, message)).toBeDefined();
      message[message.indexOf('??')] = 0xff;
      expect(classifier.question(path, message)).toBeUndefined();
    }
  });

  it('tells fleets and API versions apart', () => {
    const other = createClassifier({ fleetId: 'g', decoder });
    const message = requestOf(LIST, { hostname: 'h', ip: '127.0.0.1' });
    const keys = [
      classifier.question(LIST, message)?.key,
      other.question(LIST, message)?.key,
      classifier.question('/manager.Manager/ListSchedulers', message)?.key,
    ];
    expect(new Set(keys).size).toBe(3);
  });

  it('does not depend on the order of the entries of host_info', () => {
    const path = '/manager.Manager/ListSchedulers';
    const [a, b] = [
      requestOf(path, { hostname: 'h', ip: '127.0.0.1', host_info: { idc: 'a', location: 'b' } }),
      requestOf(path, { hostname: 'h', ip: '127.0.0.1', host_info: { location: 'b', idc: 'a' } }),
    ];
    expect(a.equals(b)).toBe(false);
    expect(classifier.question(path, a)?.key).toBe(classifier.question(path, b)?.key);
  });

  it("with a field of a newer API is keyed by its very bytes, and is its caller's own", () => {
    const known = requestOf(LIST, { hostname: 'h', ip: '127.0.0.1', scheduler_cluster_id: '1' });
    const newer = (value: number) => Buffer.concat([known, Buffer.from([0xf8, 0x07, value])]);
    const [one, two] = [classifier.question(LIST, newer(1)), classifier.question(LIST, newer(2))];
    expect(one?.audience).toBe('own');
    expect(new Set([classifier.question(LIST, known)?.key, one?.key, two?.key]).size).toBe(3);
  });

  it('is asked by no bytes that are no message, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const message = Buffer.from(bytes);
        const question = classifier.question(LIST, message);
        if (wireFields(message) === undefined) expect(question).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
    expect(classifier.question(LIST, Buffer.from([0x0a, 0x05, 0x61]))).toBeUndefined();
  });

  it('is not what readers of one and the same bytes understand differently', () => {
    const get = '/manager.v2.Manager/GetScheduler';
    const unreadable = [
      // The hostname as a number: its letters would be the next fields.
      [get, '10 01 2a 00'],
      // A kind of node in seven bytes, in front of the hostname.
      [get, '08 81 80 80 80 80 80 00 12 01 61'],
      // The length of the hostname in six.
      [get, '12 81 80 80 80 80 00 61'],
      // A cluster id of more than 64 bits.
      [get, '12 01 61 18 80 80 80 80 80 80 80 80 80 02'],
      // The key of an entry as a number.
      ['/manager.Manager/ListSchedulers', '12 01 61 2a 05 08 01 12 01 78'],
    ] as const;
    for (const [path, hex] of unreadable) {
      const message = Buffer.from(hex.replaceAll(' ', ''), 'hex');
      expect([hex, classifier.question(path, message)]).toEqual([hex, undefined]);
    }
    expect(classifier.question(get, Buffer.from('08ffffffffffffffffff01120161', 'hex'))).toBeDefined();
  });

  it('is secret when the answer holds credentials', () => {
    expect(classifier.question('/manager.Manager/GetObjectStorage', Buffer.alloc(0))?.secret).toBe(true);
    expect(classifier.question('/manager.Manager/ListBuckets', Buffer.alloc(0))?.secret).toBe(false);
  });
});

describe('a write', () => {
  it('touches the node and the lists that show it', () => {
    const path = '/manager.v2.Manager/UpdateScheduler';
    const touched = classifier.touched(path, requestOf(path, { hostname: 's', scheduler_cluster_id: '3' }));
    expect(touched).toEqual({ updates: ['schedulers:*', '["scheduler","3","s"]'], deletes: [] });
    const list = classifier.question(LIST, requestOf(LIST, { hostname: 'h', ip: '127.0.0.1' }));
    expect(list?.tags).toContain('schedulers:*');
  });

  it('that cannot be read touches it is not known what', () => {
    expect(classifier.touched('/manager.v2.Manager/UpdateScheduler', Buffer.from([0xff]))).toBeUndefined();
  });
});
