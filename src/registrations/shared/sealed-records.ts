import type { Check } from '../../redis/check.js';
import type { Known, Pending } from '../book.js';
import { pendingId } from '../pending-id.js';
import { decodeJournalRecord, encodeJournalRecord } from '../record.js';
import { nodeKey } from '../registration.js';

const SCHEMA = 1;
const HEADER = /^dfreg(\d{1,6}) ([A-Za-z0-9_-]{1,43}) ([A-Za-z0-9_-]{43}) /;
const LONGEST_HEADER = 'dfreg'.length + 6 + 1 + 43 + 1 + 43 + 1;

/**
 * `dfreg<schema> <id> <check> <record as in the journal>`. The check covers the node under which it lies, so that one node's registration in
 * another's place is none.
 */
export interface SealedRecords {
  seal(record: Known | Pending): Buffer;
  /** undefined: of a later schema. Otherwise why it is none. */
  open(node: string, value: Buffer): Known | Pending | 'unknown-schema' | 'unreadable' | 'check';
}

export function createSealedRecords(check: Check, name: string): SealedRecords {
  const stamps = (id: string, node: string): string => `dfreg${SCHEMA} ${id} ${node}`;
  return {
    seal(record) {
      const id = idOf(record);
      const body = encodeJournalRecord(record);
      const written = check.of(name, stamps(id, nodeKey(record.registration.node)), body);
      return Buffer.concat([Buffer.from(`dfreg${SCHEMA} ${id} ${written} `), body]);
    },
    open(node, value) {
      const [header, schema, id = '', written = ''] =
        HEADER.exec(value.subarray(0, LONGEST_HEADER).toString('latin1')) ?? [];
      if (header === undefined) return 'unreadable';
      if (Number(schema) > SCHEMA) return 'unknown-schema';
      const body = value.subarray(header.length);
      if (!check.holds(written, name, stamps(id, node), body)) return 'check';
      const record = decodeJournalRecord(body);
      if (record?.kind !== 'known' && record?.kind !== 'pending') return 'unreadable';
      return nodeKey(record.registration.node) === node && idOf(record) === id ? record : 'check';
    },
  };
}

/** One registration replaces another: which of them was told once more is seen by this. */
function idOf(record: Known | Pending): string {
  return record.kind === 'pending' ? pendingId(record) : '-';
}
