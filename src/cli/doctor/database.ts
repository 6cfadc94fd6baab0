import { randomUUID } from 'node:crypto';
import { classify } from '../../breaker/classify.js';
import type { Config } from '../../config/config.js';
import { encodeRequest } from '../../route/proto.js';
import { Code, codeName } from '../../rpc/status.js';
import type { Said } from '../gateway-caller.js';
import { type Finding, type Findings, inMs } from './finding.js';

const READ = '/manager.v2.Manager/GetScheduler';
const READS = 3;

/**
 * GetScheduler for a hostname that nobody has: the one read that reaches the database every time, "record not found" being
 * the right answer. A new name each time, because v2.5 remembers for 30 s what it did not find.
 */
export async function readDatabase(
  findings: Findings,
  { probe }: Config['managers'],
  call: (path: string, message: Buffer) => Promise<Said>,
  serving: boolean,
): Promise<Finding> {
  const latenciesMs: number[] = [];
  for (let turn = 0; turn < READS; turn++) {
    const hostname = `manager-gateway-doctor-${randomUUID()}`;
    const fields = { source_type: 'SCHEDULER_SOURCE', hostname, scheduler_cluster_id: '1', ip: '127.0.0.1' };
    const startedMs = performance.now();
    const { status } = await call(READ, encodeRequest(READ, fields));
    latenciesMs.push(performance.now() - startedMs);
    const fault = classify(status);
    if (fault === undefined) continue;
    const said = `${codeName(status.code)} "${status.message}" after ${inMs(latenciesMs.at(-1) ?? 0)}`;
    if (fault === 'backpressure')
      return findings.warning('database', said, 'the manager limits its calls; what else calls it?');
    const although = serving ? 'although its health says SERVING, ' : '';
    const advice =
      status.code === Code.DEADLINE_EXCEEDED
        ? "its database does not answer: look at the database, its connections and the manager's log"
        : "look at the manager's database and at its log";
    return findings.failure('database', `${although}a read that reaches it failed: ${said}`, advice);
  }
  const sorted = latenciesMs.toSorted((one, other) => one - other);
  const found = `${READS} reads that reach it in ${inMs(sorted[0] ?? 0)} to ${inMs(sorted.at(-1) ?? 0)}`;
  const slow = (sorted.at(-1) ?? 0) > probe.slowMs;
  return slow
    ? findings.warning(
        'database',
        found,
        `slower than managers.probe.slow (${probe.slowMs} ms): is the manager's Redis or database ill?`,
      )
    : findings.ok('database', found);
}
