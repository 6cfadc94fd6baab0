import { createServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { makeAuthority, makeCertificates } from '../support/certificates.js';
import { linesOf, samplesOf } from '../support/told.js';
import { managersConfig } from '../support/upstream-harness.js';
import { hold } from '../support/upstream-held.js';
import type { ReceivedCall } from '../support/upstream-manager.js';
import { cleanUpAfterEach, cleanUpLater, startManager, startUpstream } from '../support/upstream-setup.js';
import { TEST_TLS } from '../support/upstream-tls.js';

cleanUpAfterEach();

const authority = makeAuthority();
afterAll(() => authority.end());
const EXPIRED = authority.leaf('manager', { days: -1 });
/** OpenSSL 3 speaks it only where nothing is asked of the ciphers. */
const OLD = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;

const server = { key: TEST_TLS.serverKey, cert: TEST_TLS.serverCert };

/** By the probes that failed, and as nothing else. */
async function expectCounted(harness: ReturnType<typeof startUpstream>, fault: string): Promise<void> {
  const counted = Object.entries(await samplesOf(harness.of('probe-finished'), 'tls_failures_total'));
  expect(counted.filter(([, count]) => count > 0).map(([labels]) => labels)).toEqual([
    `{peer="managers",fault="${fault}"}`,
  ]);
}

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

  it('carries lines that are left, lost and given up as without it', async () => {
    const held: ReceivedCall[] = [];
    const manager = await startManager({ tls: server, call: (call) => void held.push(call) });
    const harness = startUpstream({
      addrs: [{ port: manager.port, tls: true }],
      channelsPerAddr: 1,
      tls: { caCert: TEST_TLS.caCert, serverName: 'manager.test' },
    });
    await harness.settled();
    const next = async () => {
      const opened = held.length + 1;
      await harness.until(() => harness.upstream.line() !== undefined);
      const stream = hold(harness.upstream.line());
      await harness.until(() => held.length === opened);
      return stream;
    };

    const left = await next();
    held[0]?.session.close();
    await harness.until(() => left.line.state === 'leaving');
    const lost = await next();
    left.call.halfClose();
    held[0]?.end(0);
    expect((await left.ended).status.code).toBe(0);
    for (const socket of manager.sockets) socket.destroy();
    expect((await lost.ended).status.code).toBe(14);
    const givenUp = await next();
    givenUp.line.giveUp();
    expect((await givenUp.ended).status.code).toBe(14);
    await harness.until(() => givenUp.states.length === 1 && left.states.length === 2);
    expect([left.states, lost.states, givenUp.states]).toEqual([['leaving', 'gone'], ['gone'], ['gone']]);
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

  it('asks a manager that is named by its address for no name: Node warns of that (DEP0123)', async () => {
    const warnings: string[] = [];
    const warned = ({ name, message }: Error): void => void warnings.push(`${name}: ${message}`);
    process.on('warning', warned);
    onTestFinished(() => void process.off('warning', warned));
    const { caCert, server: own } = makeCertificates('IP:127.0.0.1');
    const manager = await startManager({ tls: own });
    const harness = startUpstream({ addrs: [{ port: manager.port, tls: true }], tls: { caCert } });
    await harness.settled();

    expect(harness.upstream.healthy).toBe(true);
    expect(warnings).toEqual([]);
  });

  it.each([
    [
      'an unknown authority',
      { caCert: TEST_TLS.otherCaCert, serverName: 'manager.test' },
      'TLS: unable to',
      'authority',
    ],
    ['another name', { caCert: TEST_TLS.caCert, serverName: 'elsewhere.test' }, 'elsewhere.test', 'name'],
  ])('refuses a certificate of %s and says so', async (_, tls, reason, fault) => {
    const manager = await startManager({ tls: server });
    const harness = startUpstream({ addrs: [{ port: manager.port, tls: true }], tls });
    await harness.until(() => harness.upstream.statuses()[0]?.state === 'failed');

    const { reply } = await harness.upstream.unary(harness.request('q'));

    expect(reply.status.code).toBe(14);
    expect(reply.status.message).toContain(reason);
    expect(harness.upstream.describeTrouble()).toContain(reason);
    await expectCounted(harness, fault);
  });

  it.each([
    ['speaks plaintext', undefined, true, 'wrong version number', 'plaintext'],
    ['speaks TLS, and is asked in plaintext', server, false, 'does it want TLS?', 'plaintext'],
    ['shows a certificate that has expired', EXPIRED, true, 'certificate has expired', 'expired'],
    ['speaks TLS 1.1 at most', { ...server, ...OLD }, true, '(TLS: tlsv1 alert protocol version)', 'version'],
    [
      'wants a certificate, and is shown none',
      { ...server, ca: TEST_TLS.caCert },
      true,
      '(TLS: tlsv13 alert certificate required)',
      'certificate',
    ],
  ])('does not take a manager that %s, and says so', async (_, ofManager, tls, reason, fault) => {
    const manager = await startManager(ofManager === undefined ? {} : { tls: ofManager });
    const caCert = ofManager === EXPIRED ? authority.caCert : TEST_TLS.caCert;
    const serverName = ofManager === EXPIRED ? 'localhost' : 'manager.test';
    const harness = startUpstream({
      addrs: [{ port: manager.port, tls }],
      ...(tls && { tls: { caCert, serverName } }),
    });
    await harness.until(() => harness.upstream.statuses()[0]?.state === 'failed');

    const { reply } = await harness.upstream.unary(harness.request('q'));

    expect(reply.status.code).toBe(14);
    expect(harness.upstream.describeTrouble()).toContain(reason);
    expect(manager.probes).toBe(0);
    await expectCounted(harness, fault);
  });

  it.each([
    ['in plaintext', undefined],
    ['over TLS', server],
  ])(
    'one that has answered %s is lost, and not one that TLS keeps away, where connections are closed as soon as they are open',
    async (_, tls) => {
      const manager = await startManager(tls === undefined ? {} : { tls });
      const { caCert } = TEST_TLS;
      const harness = startUpstream({
        addrs: [{ port: manager.port, tls: tls !== undefined }],
        probe: { intervalMs: 1_000 },
        ...(tls && { tls: { caCert, serverName: 'manager.test' } }),
      });
      await harness.settled();
      await manager.kill();
      // As a proxy does that has nobody behind it.
      const inItsPlace = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => socket.end());
      }).listen(manager.port, '127.0.0.1');
      cleanUpLater(async () => inItsPlace.close());
      const failed = () => harness.of('probe-finished').filter(({ state }) => state === 'failed');

      await harness.until(() => failed().some(({ detail }) => /before (HTTP|secure TLS)/.test(detail)));

      const counted = Object.values(await samplesOf(harness.events, 'tls_failures_total'));
      expect(counted.filter((count) => count > 0)).toEqual([]);
      expect(linesOf(harness.events).filter((line) => 'tls' in line)).toEqual([]);
    },
  );

  it('shows its new certificate, and believes the new authority, from the next connection on', async () => {
    const [one, other] = [authority.leaf('one'), authority.leaf('other')];
    const manager = await startManager({ tls: { ...authority.leaf('manager'), ca: authority.caCert } });
    const managers = managersConfig({
      addrs: [{ port: manager.port, tls: true }],
      channelsPerAddr: 1,
      tls: { caCert: TEST_TLS.caCert, ...one, serverName: 'localhost' },
    });
    const harness = startUpstream({ addrs: [] }, { managers });
    await harness.until(() => harness.upstream.statuses()[0]?.state === 'failed');
    const tls = managers.tls as { -readonly [K in keyof typeof managers.tls]: string };
    Object.assign(tls, { caCert: authority.caCert });
    const shown = async (): Promise<string> => {
      await harness.until(() => manager.sessions.length === 1 && harness.upstream.healthy);
      const [socket] = manager.sessions.map(({ socket }) => socket as TLSSocket);
      return String(socket?.getPeerCertificate().subject.CN);
    };
    expect(await shown()).toBe('one');
    Object.assign(tls, other);
    // What stands stays.
    expect((await harness.upstream.unary(harness.request('q'))).reply.status.code).toBe(0);
    expect(await shown()).toBe('one');
    for (const session of manager.sessions) session.close();
    await harness.until(() => manager.connectionsEver > 2 && manager.sessions.length === 1);
    expect(await shown()).toBe('other');
  });

  it("refuses a key that is not the certificate's when it is set up", () => {
    const tls = { cert: TEST_TLS.clientCert, key: TEST_TLS.serverKey };
    expect(() => startUpstream({ addrs: [{ tls: true }], tls })).toThrow(/^managers\.tls: .*mismatch/);
  });
});
