import type { GatewayEvent } from './events.js';
import { membersOf, type SeriesMaker } from './series.js';
import { type TlsFault, tlsFaultIn } from './tls-fault.js';

type Peer = 'callers' | 'managers' | 'redis';

const PEERS = membersOf<Peer>({ callers: 0, managers: 0, redis: 0 });
const FAULTS = membersOf<TlsFault>({
  authority: 0,
  expired: 0,
  name: 0,
  certificate: 0,
  version: 0,
  protocol: 0,
  plaintext: 0,
  other: 0,
});

/** The one counter about TLS, whoever is on the other side; it moves beside what the same events move elsewhere. */
export function createTlsMetrics({ counter }: SeriesMaker): (event: GatewayEvent) => void {
  const failures = counter(
    'tls_failures_total',
    'Connections that TLS did not let happen, by with whom and why; of managers, probes that found it so.',
    { peer: PEERS, fault: FAULTS },
  );
  return (event) => {
    const peer = peerOf(event);
    if (peer === undefined) return;
    const fault = tlsFaultIn(event);
    if (fault !== undefined) failures.inc({ peer, fault });
  };
}

/** undefined: it is none of the events that are counted here. */
function peerOf({ kind }: GatewayEvent): Peer | undefined {
  switch (kind) {
    case 'connection-refused':
      return 'callers';
    case 'probe-finished':
      return 'managers';
    case 'redis-failed':
      return 'redis';
    default:
      return undefined;
  }
}
