import { describe, expect, it } from 'vitest';
import { cleanUpAfterEach, startManager, startUpstream } from '../support/upstream-setup.js';
import { TEST_TLS } from '../support/upstream-tls.js';

cleanUpAfterEach();

const server = { key: TEST_TLS.serverKey, cert: TEST_TLS.serverCert };

describe('TLS towards the manager', () => {
  it('accepts a certificate of the configured authority for the configured name', async () => {
    let authority: string | undefined;
    const manager = await startManager({
      tls: server,
      call(call) {
        authority = call.headers[':authority'];
        call.answer(Buffer.from('secret'));
      },
    });
    const harness = startUpstream({
      addrs: [{ port: manager.port, tls: true }],
      tls: { caCert: TEST_TLS.caCert, serverName: 'manager.test' },
    });
    await harness.settled();

    const { reply } = await harness.upstream.unary(harness.request('q'));

    expect(String(reply.message)).toBe('secret');
    expect(authority).toBe(`127.0.0.1:${manager.port}`);
    expect(manager.connections).toBe(2);
  });

  it('verifies the host name as configured, whatever address it resolves to', async () => {
    const manager = await startManager({ tls: server });
    const resolver = { lookup: async () => ['127.0.0.1'] };
    const addrs = [{ host: 'manager.test', port: manager.port, tls: true }];
    const harness = startUpstream({ addrs, tls: { caCert: TEST_TLS.caCert } }, { resolver });
    await harness.settled();

    expect(harness.upstream.healthy).toBe(true);
  });

  it('shows its own certificate to a manager that asks for one', async () => {
    const manager = await startManager({ tls: { ...server, ca: TEST_TLS.caCert } });
    const { caCert, clientCert: cert, clientKey: key } = TEST_TLS;
    const addrs = [{ port: manager.port, tls: true }];
    const harness = startUpstream({ addrs, tls: { caCert, cert, key, serverName: 'manager.test' } });
    await harness.settled();

    expect((await harness.upstream.unary(harness.request('q'))).reply.status.code).toBe(0);
  });

  it.each([
    ['an unknown authority', { caCert: TEST_TLS.otherCaCert, serverName: 'manager.test' }, 'TLS: unable to'],
    ['another name', { caCert: TEST_TLS.caCert, serverName: 'elsewhere.test' }, 'elsewhere.test'],
  ])('refuses a certificate of %s and says so', async (_, tls, reason) => {
    const manager = await startManager({ tls: server });
    const harness = startUpstream({ addrs: [{ port: manager.port, tls: true }], tls });
    await harness.until(() => harness.upstream.statuses()[0]?.state === 'failed');

    const { reply } = await harness.upstream.unary(harness.request('q'));

    expect(reply.status.code).toBe(14);
    expect(reply.status.message).toContain(reason);
    expect(harness.upstream.describeTrouble()).toContain(reason);
  });

  it("refuses a key that is not the certificate's when it is set up", () => {
    const tls = { cert: TEST_TLS.clientCert, key: TEST_TLS.serverKey };
    expect(() => startUpstream({ addrs: [{ tls: true }], tls })).toThrow(/^managers\.tls: .*mismatch/);
  });
});
