/** The reads that are remembered, by name; both API versions of one name share its TTLs. */
export const METHODS = [
  'ListApplications',
  'ListSchedulers',
  'GetScheduler',
  'GetSeedPeer',
  'ListSeedPeers',
  'ListBuckets',
  'GetObjectStorage',
] as const;

export type Method = (typeof METHODS)[number];
