/** The names in a caller's certificate that was verified. */
export interface CertificateNames {
  readonly dns: readonly string[];
  readonly uris: readonly string[];
  readonly ips: readonly string[];
  readonly emails: readonly string[];
}

/** Who has opened a connection, one object per connection. It says nothing of an address: NAT, hostNetwork and sidecars change it. */
export interface Client {
  /** undefined: he has shown no certificate. */
  readonly names: CertificateNames | undefined;
}
