import { X509Certificate } from 'node:crypto';
import type { Config } from '../config/config.js';
import type { Clock, Timer } from '../rpc/clock.js';
import { CERTIFICATE_USES, type CertificateUse, type Emit } from './events.js';

/** Long enough for whoever has to ask somebody else for a new one. */
const SOON_MS = 14 * 86_400_000;
const LOOK_MS = 12 * 3_600_000;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** The certificates that the gateway shows to others. */
export interface Certificates {
  /** When the first of each chain expires, Unix ms; undefined: there is none. */
  readonly expiries: () => Readonly<Record<CertificateUse, number | undefined>>;
  /** Tells of those that expire soon, now and twice a day. */
  start(): void;
  /** They may be other ones. */
  look(): void;
  stop(): void;
}

export interface CertificatesOptions {
  /** Read again and again: a reload changes it. */
  readonly config: Pick<Config, 'server' | 'managers' | 'redis'>;
  readonly clock: Clock;
  readonly emit: Emit;
}

export function createCertificates({ config, clock, emit }: CertificatesOptions): Certificates {
  const remembered = new Map<CertificateUse, { readonly pem: string; readonly atMs: number | undefined }>();
  const shown: Record<CertificateUse, () => string> = {
    server: () => config.server.tls.cert,
    manager: () => config.managers.tls.cert,
    redis: () => (config.redis.tls.enable ? config.redis.tls.cert : ''),
  };
  let timer: Timer | undefined;

  const expiryOf = (use: CertificateUse): number | undefined => {
    const pem = shown[use]();
    const known = remembered.get(use);
    if (known?.pem === pem) return known.atMs;
    const atMs = firstExpiry(pem);
    remembered.set(use, { pem, atMs });
    return atMs;
  };
  const look = (): void => {
    for (const use of CERTIFICATE_USES) {
      const atMs = expiryOf(use);
      if (atMs === undefined || atMs - clock.wallMs() >= SOON_MS) continue;
      emit({ kind: 'certificate-expiring', use, atMs, leftMs: atMs - clock.wallMs() });
    }
  };
  const lookAgain = (): void => {
    look();
    timer = clock.setTimer(LOOK_MS, lookAgain);
  };
  return {
    expiries: () => ({ server: expiryOf('server'), manager: expiryOf('manager'), redis: expiryOf('redis') }),
    start: lookAgain,
    look,
    stop: () => timer?.cancel(),
  };
}

/** Whoever checks the chain needs all of it. */
function firstExpiry(pem: string): number | undefined {
  const certificates = pem.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) return undefined;
  return Math.min(...certificates.map((one) => Date.parse(new X509Certificate(one).validTo)));
}
