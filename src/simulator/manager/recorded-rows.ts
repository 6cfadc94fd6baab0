import { type Clock, systemClock } from '../../rpc/clock.js';
import type { ManagerRecord } from './manager-record.js';
import { createManagerRecord } from './memory-record.js';
import type { ApplicationRow } from './rows.js';

/** The applications of the recorded managers. */
const APPLICATIONS: readonly ApplicationRow[] = [
  {
    id: 1,
    name: 'gitlab-lfs',
    url: 'https://gitlab.example.com',
    bio: 'Git LFS',
    priority: { value: 3, urls: [{ regex: 'objects/.*', value: 6 }] },
  },
  {
    id: 2,
    name: 'docker-registry',
    url: 'https://registry.example.com',
    bio: 'images',
    priority: {
      value: 0,
      urls: [
        { regex: 'blobs/sha256.*', value: 0 },
        { regex: 'manifests/.*', value: 2 },
      ],
    },
  },
];

/**
 * The rows of the recorded managers: cluster-1 with sched-a, sched-b and seed-a, all active, and two applications.
 * `nodes: false` leaves the nodes out, as before their first registration.
 */
export function seedFromRecordings(
  options: { readonly clock?: Clock; readonly version?: 'v2.1.55' | 'v2.5.1'; readonly nodes?: boolean } = {},
): ManagerRecord {
  const { clock = systemClock, version = 'v2.5.1', nodes = true } = options;
  const record = createManagerRecord(clock);
  const clusterId = record.addCluster({
    name: 'cluster-1',
    ...(version === 'v2.1.55' ? { config: '{"candidate_parent_limit":4,"filter_parent_limit":15}' } : {}),
  });
  record.applications = APPLICATIONS;
  if (!nodes) return record;
  const place = { clusterId, idc: 'idc-1', location: 'asia|cn|hz', state: 'active' } as const;
  record.addScheduler({ ...place, hostname: 'sched-a', ip: '10.1.0.1' });
  record.addScheduler({ clusterId, hostname: 'sched-b', ip: '10.1.0.2', state: 'active' });
  record.addSeedPeer({ ...place, hostname: 'seed-a', ip: '10.1.0.9' });
  return record;
}
