import type { CertificateNames } from '../rpc/client.js';

/** A JSON string, as Node writes a name that could be taken for several. */
const QUOTED = /^"(?:[^"\\]|\\.)*"/;

const KINDS: Readonly<Record<string, keyof CertificateNames>> = {
  DNS: 'dns',
  URI: 'uris',
  'IP Address': 'ips',
  email: 'emails',
};

const NO_NAMES: CertificateNames = { dns: [], uris: [], ips: [], emails: [] };

/**
 * The names in `X509Certificate.subjectAltName`: "DNS:a, URI:b, IP Address:1.2.3.4, email:c". Node quotes a value that has a comma or a
 * quote in it (nodejs.org/api/crypto.html#x509subjectaltname), so that no name can pretend to be two. Of a text that cannot be read to
 * its end there are none: some of the names might allow what all of them would not.
 */
export function certificateNames(text: string): CertificateNames {
  const names: Record<keyof CertificateNames, string[]> = { dns: [], uris: [], ips: [], emails: [] };
  for (let at = 0; at < text.length; ) {
    const colon = text.indexOf(':', at);
    const value = colon < 0 ? undefined : valueAt(text, colon + 1);
    if (value === undefined) return NO_NAMES;
    const kind = KINDS[text.slice(at, colon)];
    if (kind !== undefined) names[kind].push(value.name);
    at = value.next;
  }
  return names;
}

function valueAt(text: string, start: number): { name: string; next: number } | undefined {
  const quoted = QUOTED.exec(text.slice(start))?.[0];
  const comma = text.indexOf(',', start + (quoted?.length ?? 0));
  const end = comma < 0 ? text.length : comma;
  const next = comma < 0 ? text.length : comma + ', '.length;
  if (text[start] !== '"') return { name: text.slice(start, end), next };
  // Nothing may stand between the quote and the comma.
  const name = quoted !== undefined && start + quoted.length === end ? unquoted(quoted) : undefined;
  return name === undefined ? undefined : { name, next };
}

function unquoted(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    // Not as JSON has it.
    return undefined;
  }
}
