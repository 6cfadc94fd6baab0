import { describe, expect, it } from 'vitest';
import { makeCertificates } from '../support/certificates.js';
import { refusals } from './refusals.js';

const SECRET = 'hunter2hunter2';
const KEY = makeCertificates().server.key;
/** The lines between the first and the last, as somebody would paste them. */
const BARE_KEY = KEY.split('\n').slice(1, -2).join('');

describe('a configuration that is wrong is refused without the secret in it:', () => {
  it.each([
    ['a list in place of a password', `redis: { password: ["${SECRET}"] }`],
    ['a section in place of a password', `redis: { password: { value: "${SECRET}" } }`],
    ['a number in place of a password', 'redis: { password: 271828182845 }', '271828182845'],
    ['a secret in place of its section', `admin: "${SECRET}"`],
    ['a list of secrets in place of their section', `redis: ["${SECRET}"]`],
    ['a secret in place of everything', SECRET],
    ['the name of its key misspelt', `redis: { pasword: "${SECRET}" }`],
    ['its key in another section', `snapshot: { token: "${SECRET}" }`],
    ['its key twice', `admin:\n  token: "${SECRET}"\n  token: "${SECRET}2"`],
    ['no blank behind its key', `redis:\n  password:${SECRET}`],
    ['no blank behind its key, and more behind it', `redis:\n  password:${SECRET}\n  db: 1`],
    ['no blank behind its key, in braces', `redis: { password:${SECRET} }`],
    ['no colon behind its key', `redis:\n  password ${SECRET}\n  db: 1`],
    ['no colon behind its key, in braces', `redis: { password ${SECRET} }`],
    ['a tag, as which it was not meant', `redis: { password: !${SECRET} }`],
    ['a tag with a handle', `redis: { password: !${SECRET}!x }`],
    ['a tag without an end', `redis: { password: !<${SECRET} }`],
    ['an alias, as which it was not meant', `redis: { password: *${SECRET} }`],
    ['an anchor, as which it was not meant', `redis: { password: &${SECRET} }`],
    ['the head of a text, as which it was not meant', `redis:\n  password: |${SECRET}\n`],
    ['a quote that does not end', `redis:\n  password: "${SECRET}\n`],
    ['an escape that there is none of', `redis: { password: "\\q${SECRET}" }`],
    ['a character that no plain value begins with', `redis: { password: @${SECRET} }`],
    ['a tab', `redis:\n\tpassword: ${SECRET}`],
    ['a colon within it', `redis:\n  password: a: ${SECRET}`],
    ['a password in the address of Redis', `redis: { addrs: ["redis://:${SECRET}@redis:6379"] }`],
    ['one with a slash', `redis: { addrs: ["redis://:a/${SECRET}@redis:6379"] }`],
    ['one with an @', `redis: { addrs: ["redis://:a@${SECRET}@redis:6379"] }`],
    ['one too long to be shown', `redis: { addrs: ["redis://:${SECRET.repeat(9)}@redis:6379"] }`],
    ['a password in the address of a manager', `managers: { addrs: ["http://a:${SECRET}@m:65003"] }`],
    ['a password in the address of the traces', `tracing: { endpoint: "ftp://a:${SECRET}@collector" }`],
    ['a certificate that is a key', `server: { tls: { cert: ${JSON.stringify(KEY)} } }`, BARE_KEY],
    ['half a key', `server: { tls: { key: ${JSON.stringify(KEY.slice(0, -60))} } }`, BARE_KEY],
    ['a key without its first and last line', `server: { tls: { key: ${BARE_KEY} } }`, BARE_KEY],
    ['a key of no certificate', `managers: { tls: { key: ${JSON.stringify(KEY)} } }`, BARE_KEY],
  ])('%s', (_what, text, secret = SECRET) => {
    const told = refusals(text).join('\n');
    expect(told).not.toBe('');
    for (const part of partsOf(secret)) expect(told).not.toContain(part);
  });

  it.each([
    [`redis.password.x=${SECRET}`],
    [`redis.pasword=${SECRET}`],
    [`redis.password:${SECRET}`],
    [`redis.password ${SECRET}`],
    [`redis.password: ${SECRET}=x`],
    [`redis={password: *${SECRET}}`],
    [`redis={password: !${SECRET} x`],
    [`redis.addrs=["redis://:${SECRET}@redis:6379"]`],
  ])('--set %s', (set) => {
    const told = refusals('', { sets: [set] }).join('\n');
    expect(told).not.toBe('');
    expect(told).not.toContain(SECRET);
  });

  it.each([
    ['DFMGW__REDIS__PASWORD', SECRET],
    ['DFMGW__REDIS', `{password: !${SECRET}}`],
    ['DFMGW__REDIS', SECRET],
    ['DFMGW__REDIS__PASSWORD__X', SECRET],
    ['DFMGW__SERVER__TLS__KEY', BARE_KEY],
  ])('env %s', (name, value) => {
    const told = refusals('', { env: { [name]: value } }).join('\n');
    expect(told).not.toBe('');
    for (const part of partsOf(value === BARE_KEY ? BARE_KEY : SECRET)) expect(told).not.toContain(part);
  });
});

/** A third of a key is too much of it, too. */
function partsOf(secret: string): string[] {
  const length = Math.min(secret.length, 16);
  return Array.from({ length: secret.length - length + 1 }, (_, at) => secret.slice(at, at + length));
}
