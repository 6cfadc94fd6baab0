import type { CertificateUse, ProcessEvent } from './events.js';
import type { LogLine } from './log-line.js';

const DAY_MS = 86_400_000;

const CERTIFICATE_KEYS: Readonly<Record<CertificateUse, string>> = {
  server: 'server.tls.cert',
  manager: 'managers.tls.cert',
  redis: 'redis.tls.cert',
};

/** What the gateway itself does. */
export function aboutProcess(event: ProcessEvent): LogLine {
  const base = { event: event.kind };
  switch (event.kind) {
    case 'started':
      return {
        level: 'info',
        msg: `manager-gateway ${event.version} answers on ${event.listen} in mode ${event.mode}`,
        fields: {
          ...base,
          version: event.version,
          mode: event.mode,
          listen: event.listen,
          metrics: event.metrics,
          admin: event.admin,
        },
      };
    case 'serving-changed':
      return {
        level: event.reason === undefined ? 'info' : 'error',
        msg: event.reason === undefined ? 'health says SERVING' : `health says NOT_SERVING: ${event.reason}`,
        fields: {
          ...base,
          serving: event.reason === undefined,
          ...(event.reason !== undefined && { errorClass: 'transient' }),
        },
      };
    case 'mode-changed':
      return {
        level: 'warn',
        msg: `mode: ${event.from} → ${event.to}`,
        fields: { ...base, from: event.from, to: event.to },
      };
    case 'maintenance-begun':
      return {
        level: 'warn',
        msg: `maintenance for ${Math.round(event.durationMs / 60_000)} minutes: reads are answered with what is remembered`,
        fields: { ...base, durationMs: event.durationMs },
      };
    case 'maintenance-ended':
      return { level: 'warn', msg: 'maintenance has ended', fields: base };
    case 'operator-acted':
      return {
        level: 'warn',
        msg: `an operator at ${event.from}: ${event.action}${event.detail === '' ? '' : ` ${event.detail}`}`,
        fields: { ...base, action: event.action, detail: event.detail, from: event.from },
      };
    case 'operator-refused':
      return {
        level: 'warn',
        msg: `somebody at ${event.from} without admin.token wanted: ${event.action}`,
        fields: { ...base, action: event.action, from: event.from, errorClass: 'permanent' },
        repeatKey: event.kind,
      };
    case 'config-reloaded': {
      const rest =
        event.needRestart.length > 0 ? `; a restart is needed for ${event.needRestart.join(', ')}` : '';
      const applied = event.applied.length > 0 ? event.applied.join(', ') : 'nothing to apply';
      return {
        level: event.needRestart.length > 0 ? 'warn' : 'info',
        msg: `configuration read again: ${applied}${rest}`,
        fields: { ...base, applied: event.applied, needRestart: event.needRestart },
      };
    }
    case 'config-refused':
      return {
        level: 'error',
        msg: `configuration refused, the old one stays: ${event.detail}`,
        fields: { ...base, errorClass: 'permanent' },
      };
    case 'certificate-expiring': {
      const when = new Date(event.atMs).toISOString();
      const days = Math.floor(event.leftMs / DAY_MS);
      const expired = event.leftMs <= 0;
      return {
        level: expired ? 'error' : 'warn',
        msg: `the certificate of ${CERTIFICATE_KEYS[event.use]} ${expired ? 'expired on' : `expires in ${days} days, on`} ${when}`,
        fields: { ...base, use: event.use, at: when, leftMs: event.leftMs, errorClass: 'permanent' },
      };
    }
    case 'draining':
      return {
        level: 'info',
        msg: `draining: ${event.connections} connections, health says NOT_SERVING`,
        fields: { ...base, connections: event.connections },
      };
    case 'stopped':
      return {
        level: event.clean ? 'info' : 'warn',
        msg: `stopped: ${event.detail}`,
        fields: { ...base, clean: event.clean },
      };
    case 'internal-error':
      return {
        level: 'error',
        msg: `internal error in ${event.where}`,
        fields: { ...base, where: event.where, errorClass: 'internal' },
        repeatKey: `${event.kind} ${event.where}`,
        error: event.error,
      };
    default:
      return event satisfies never;
  }
}
