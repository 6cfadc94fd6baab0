/** To whom the gateway shows a certificate of its own: to callers, to managers, to Redis. */
export const CERTIFICATE_USES = ['server', 'manager', 'redis'] as const;

export type CertificateUse = (typeof CERTIFICATE_USES)[number];

/** The gateway itself, and what operators do with it. */
export type ProcessEvent =
  | { kind: 'started'; version: string; mode: string; listen: string; metrics: string; admin: string }
  /** What health says from now on; `reason`: why it does not say SERVING. */
  | { kind: 'serving-changed'; reason: string | undefined }
  | { kind: 'mode-changed'; from: string; to: string }
  | { kind: 'maintenance-begun'; durationMs: number }
  | { kind: 'maintenance-ended' }
  /** Somebody with the token has done this; `from`: the address of his connection. */
  | { kind: 'operator-acted'; action: string; detail: string; from: string }
  /** Somebody without the token has tried. */
  | { kind: 'operator-refused'; action: string; from: string }
  | { kind: 'config-reloaded'; applied: readonly string[]; needRestart: readonly string[] }
  | { kind: 'config-refused'; detail: string }
  /** `atMs`: Unix time; `leftMs` below 0: it has expired. */
  | { kind: 'certificate-expiring'; use: CertificateUse; atMs: number; leftMs: number }
  | { kind: 'draining'; connections: number }
  | { kind: 'stopped'; clean: boolean; detail: string }
  | { kind: 'internal-error'; where: string; error: unknown };
