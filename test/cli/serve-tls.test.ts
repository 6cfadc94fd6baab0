import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import { makeAuthority, type Pair } from '../support/certificates.js';
import { runGateway } from '../support/gateway-process.js';

const owned: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of owned.splice(0).reverse()) await end();
});

const serialOf = ({ cert }: Pair): string => new X509Certificate(cert).serialNumber;

/** The serial number that a caller who comes now is shown. */
function shownAt(address: string, ca: string): Promise<string> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), ca, ALPNProtocols: ['h2'] }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

it('a running gateway takes a renewed certificate without a signal, and keeps the old one while the pair is broken', async () => {
  const authority = makeAuthority();
  owned.push(() => authority.end());
  const directory = mkdtempSync(join(tmpdir(), 'serve-tls-'));
  owned.push(() => rmSync(directory, { recursive: true }));
  const [old, renewed] = [authority.leaf('gateway'), authority.leaf('gateway')];
  const at = (name: string): string => join(directory, name);
  writeFileSync(at('tls.crt'), old.cert);
  writeFileSync(at('tls.key'), old.key);
  const sets = {
    'server.listen': '127.0.0.1:0',
    'server.tls.cert': at('tls.crt'),
    'server.tls.key': at('tls.key'),
    'managers.addrs': '["127.0.0.1:1"]',
    'metrics.enable': 'false',
    'admin.enable': 'false',
    'snapshot.dir': '',
  };
  const running = runGateway([
    'serve',
    ...Object.entries(sets).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
  ]);
  owned.push(async () => {
    running.child.kill('SIGKILL');
    await running.exited;
  });
  const { listen } = (await running.line({ event: 'started' })) as { listen: string };
  expect(await running.line({ event: 'certificate-expiring', use: 'server' })).toMatchObject({
    level: 'warn',
  });
  expect(await shownAt(listen, authority.caCert)).toBe(serialOf(old));

  writeFileSync(at('tls.key'), renewed.key);
  const refused = await running.line({ event: 'config-refused' });
  expect(refused.msg).toContain(
    'server.tls.key (--set server.tls.key): found a key that does not belong to cert',
  );
  expect(JSON.stringify(refused)).not.toContain(renewed.key.split('\n')[1]);
  expect(await shownAt(listen, authority.caCert)).toBe(serialOf(old));

  writeFileSync(at('tls.crt'), renewed.cert);
  expect(await running.line({ event: 'config-reloaded' })).toMatchObject({
    applied: ['server.tls.cert', 'server.tls.key'],
  });
  expect(await shownAt(listen, authority.caCert)).toBe(serialOf(renewed));
}, 60_000);
