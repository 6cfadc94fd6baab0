import { checkServerIdentity, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { Finding, Findings } from './finding.js';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Two weeks: what has to be renewed by hand is noticed in time. */
const SOON_DAYS = 14;

const UNKNOWN_AUTHORITY = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
]);

export interface CertificateCheck {
  readonly findings: Findings;
  readonly socket: TLSSocket;
  /** The name that the certificate must be for, and the keys of the configuration that say so. */
  readonly name: string;
  readonly nameKey: string;
  readonly caKey: string;
  readonly wallMs: number;
}

/** What is wrong with the certificate that a peer has shown: age, chain, name, in this order. */
export function certificateFinding({
  findings,
  socket,
  name,
  nameKey,
  caKey,
  wallMs,
}: CertificateCheck): Finding {
  const certificate = socket.getPeerCertificate();
  const { CN = '(no name)' } = certificate.subject ?? {};
  const who = `certificate of ${String(CN)}`;
  const daysLeft = Math.floor((Date.parse(certificate.valid_to) - wallMs) / DAY_MS);
  if (Date.parse(certificate.valid_to) <= wallMs) {
    const found = `${who} expired on ${dateOf(certificate.valid_to)}, ${-daysLeft} days ago`;
    return findings.failure('TLS', found, "renew the manager's certificate");
  }
  if (Date.parse(certificate.valid_from) > wallMs) {
    const found = `${who} is valid from ${dateOf(certificate.valid_from)} on`;
    return findings.failure('TLS', found, 'compare the clocks of this machine and of whoever made it');
  }
  if (!socket.authorized)
    return chainFinding(findings, who, String(socket.authorizationError), certificate, caKey);
  const misnamed = checkServerIdentity(name, certificate);
  if (misnamed !== undefined) {
    const names = certificate.subjectaltname ?? String(CN);
    return findings.failure(
      'TLS',
      `the certificate is for ${names}, not for ${name}`,
      `set ${nameKey} to a name in it, or have one made for ${name}`,
    );
  }
  const found = `${socket.getProtocol()}, ${who}, for ${name}, ${daysLeft} days left`;
  return daysLeft < SOON_DAYS ? findings.warning('TLS', found, 'renew it soon') : findings.ok('TLS', found);
}

function chainFinding(
  findings: Findings,
  who: string,
  reason: string,
  certificate: PeerCertificate,
  caKey: string,
): Finding {
  const issuer = String(certificate.issuer?.CN ?? 'an authority without a name');
  if (UNKNOWN_AUTHORITY.has(reason)) {
    const found = `${who} is signed by ${issuer}, which is not among the authorities known here (${reason})`;
    return findings.failure('TLS', found, `set ${caKey} to the certificate of ${issuer}`);
  }
  return findings.failure(
    'TLS',
    `${who} is refused: ${reason}`,
    `look at the chain that the manager sends, and at ${caKey}`,
  );
}

function dateOf(text: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : date.toISOString().slice(0, 10);
}
