import type { GatewayEvent } from './events.js';
import { membersOf, type SeriesMaker } from './series.js';
import { type TlsFault, tlsFaultOf } from './tls-fault.js';

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
  const count = (peer: Peer, fault: TlsFault | undefined): void => {
    if (fault !== undefined) failures.inc({ peer, fault });
  };
  return (event) => {
    switch (event.kind) {
      case 'connection-refused':
        if (event.reason === 'tls-handshake') count('callers', tlsFaultOf(event.detail) ?? 'other');
        return;
      case 'probe-finished':
        if (event.state === 'failed') count('managers', tlsFaultOf(event.detail));
        return;
      case 'redis-failed':
        if (isDialling(event.operation)) count('redis', tlsFaultOf(event.detail));
        return;
      default:
        return;
    }
  };
}

function isDialling(operation: string): boolean {
  return operation === 'connect' || operation === 'subscribe';
}
