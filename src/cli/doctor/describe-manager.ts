import { decodeResponse, encodeRequest } from '../../route/proto.js';
import { Code, statusText } from '../../rpc/status.js';
import type { Said } from '../gateway-caller.js';
import type { Finding, Findings } from './finding.js';

/** What the manager is, as far as its methods and answers tell; it names no version itself. */
export async function describeManager(
  findings: Findings,
  call: (path: string, message: Buffer) => Promise<Said>,
): Promise<Finding[]> {
  const path = '/manager.v2.Manager/ListSchedulers';
  const who = { source_type: 'PEER_SOURCE', hostname: 'manager-gateway-doctor', ip: '127.0.0.1' };
  const [buckets, listed] = await Promise.all([
    call(
      '/manager.Manager/ListBuckets',
      encodeRequest('/manager.Manager/ListBuckets', {
        source_type: 'PEER_SOURCE',
        hostname: who.hostname,
        ip: who.ip,
      }),
    ),
    call(path, encodeRequest(path, who)),
  ]);
  const isOld = buckets.status.code !== Code.UNIMPLEMENTED;
  const version = findings.ok(
    'version',
    isOld
      ? 'v2.1 or near: it knows ListBuckets; it names no version itself'
      : 'v2.2 or later: it does not know ListBuckets any more; it names no version itself',
  );
  if (listed.status.code !== Code.OK) {
    const said = statusText(listed.status);
    return [version, findings.failure('schedulers', said, 'every daemon asks this at its start')];
  }
  return [version, schedulersFinding(findings, path, listed.message ?? Buffer.alloc(0))];
}

function schedulersFinding(findings: Findings, path: string, message: Buffer): Finding {
  const { schedulers } = decodeResponse(path, message) as {
    schedulers?: readonly { scheduler_cluster?: unknown }[];
  };
  const list = schedulers ?? [];
  if (list.length === 0) {
    return findings.warning(
      'schedulers',
      'no scheduler is active',
      'daemons exit at their start on an empty list: do the schedulers reach the manager?',
    );
  }
  const found = `${list.length} active`;
  const withCluster = list.some(
    ({ scheduler_cluster }) => scheduler_cluster !== null && scheduler_cluster !== undefined,
  );
  return withCluster
    ? findings.ok('schedulers', found)
    : findings.warning(
        'schedulers',
        `${found}, shown without their clusters`,
        'the Rust client refuses such an answer and exits; a newer manager shows them',
      );
}
