import type { Check } from '../../redis/check.js';
import type { NodeRecord } from '../node.js';
import { decodeNodeRecord, encodeNodeRecord, NODE_RECORD_SCHEMA } from '../stored-record.js';

const HEADER = /^dfmgw(\d{1,6}) ([A-Za-z0-9_-]{43}) /;
const LONGEST_HEADER = 'dfmgw'.length + 6 + 1 + 43 + 1;

/** `dfmgw<schema> <check> <record>`. The check covers the node's key, so that one node's record in another's place is none. */
export interface SealedRecords {
  /** Without the record where it is too large: the node is held, but nobody can take it over. */
  seal(key: string, record: NodeRecord): Buffer;
  /** undefined: not whole, not signed with our secret, or of another node. */
  open(key: string, value: Buffer): NodeRecord | undefined;
}

export function createSealedRecords(check: Check, name: string): SealedRecords {
  const stamps = (key: string): string => `dfmgw${NODE_RECORD_SCHEMA} ${key}`;
  return {
    seal(key, record) {
      const body = encodeNodeRecord(record) ?? Buffer.alloc(0);
      return Buffer.concat([
        Buffer.from(`dfmgw${NODE_RECORD_SCHEMA} ${check.of(name, stamps(key), body)} `),
        body,
      ]);
    },
    open(key, value) {
      const found = HEADER.exec(value.subarray(0, LONGEST_HEADER).toString('latin1'));
      if (found === null || Number(found[1]) !== NODE_RECORD_SCHEMA) return undefined;
      const body = value.subarray(found[0].length);
      if (!check.holds(found[2] ?? '', name, stamps(key), body)) return undefined;
      const decoded = decodeNodeRecord(body);
      return decoded?.key === key ? decoded.record : undefined;
    },
  };
}
