/** Names of values that nobody is shown, wherever they stand in the configuration. */
const SECRETS = new Set(['password', 'sentinelPassword', 'secret', 'token', 'key']);
const PEM = new Set(['cert', 'caCert']);
/** `tracing.endpoint` may have a user and a password in it. */
const USER_INFO = /\/\/[^/]*@/;

/** A configuration for people: keys as the YAML names them, durations in ms, no secret in it. */
export function redact(value: unknown, name = ''): unknown {
  if (typeof value === 'string') {
    if (value === '') return '';
    if (SECRETS.has(name)) return '(set)';
    // What is in a certificate is for the doctor; here it is enough that there is one.
    return PEM.has(name) ? `(${value.length} characters of PEM)` : value.replace(USER_INFO, '//(set)@');
  }
  if (Array.isArray(value)) return value.map((one) => redact(one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redact(inner, key)]));
}
