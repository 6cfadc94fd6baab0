import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { status as Code, credentials } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createDownstream } from '../../src/downstream/server.js';
import { systemClock } from '../../src/rpc/clock.js';
import { makeAuthority } from '../support/certificates.js';
import { ManualClock } from '../support/manual-clock.js';
import { samplesOf } from '../support/told.js';
import { call, closed, echo, grpcClient, startDownstream, tcp, USUAL } from './harness.js';
import { rawPeer } from './raw-peer.js';

/** Made for these tests only: `server` and `client` of one CA, `stranger` of another; valid until 2120. */
function pem(name: string): Buffer {
  return readFileSync(new URL(`pem/${name}.pem`, import.meta.url));
}

/** The certificate is for this name too, and TLS does not know addresses as server names. */
const NAMED = { 'grpc.ssl_target_name_override': 'localhost' };

type ClientAuth = 'none' | 'request' | 'require';

function serverTls(clientAuth: ClientAuth) {
  return {
    caCert: String(pem('ca')),
    cert: String(pem('server')),
    key: String(pem('server-key')),
    clientAuth,
  };
}

function startTls(clientAuth: ClientAuth) {
  return startDownstream({ tls: serverTls(clientAuth) });
}

/** One call with the certificate of `identity`, or without one. */
async function codeFor(port: number, identity?: 'client' | 'stranger'): Promise<number> {
  const creds = identity
    ? credentials.createSsl(pem('ca'), pem(`${identity}-key`), pem(identity))
    : credentials.createSsl(pem('ca'));
  const { status } = await call(grpcClient(port, NAMED, creds), [Buffer.from('over TLS')]);
  return status.code;
}

function tlsSocket(port: number, options: tls.ConnectionOptions): tls.TLSSocket {
  const socket = tls.connect({ host: '127.0.0.1', servername: 'localhost', port, ca: pem('ca'), ...options });
  socket.on('error', () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

describe('with TLS', () => {
  it.each([
    ['none', undefined, Code.OK],
    ['none', 'stranger', Code.OK],
    ['request', undefined, Code.OK],
    ['request', 'client', Code.OK],
    ['request', 'stranger', Code.UNAVAILABLE],
    ['require', 'client', Code.OK],
    ['require', undefined, Code.UNAVAILABLE],
    ['require', 'stranger', Code.UNAVAILABLE],
  ] as const)(
    'and clientAuth %s a caller with the certificate of %s ends in %i',
    async (auth, identity, code) => {
      const { port, events, downstream } = await startTls(auth);
      expect(await codeFor(port, identity)).toBe(code);
      if (code === Code.OK) {
        expect(events.of('connection-refused')).toEqual([]);
      } else {
        expect(events.of('connection-refused')[0]).toMatchObject({ reason: 'tls-handshake' });
        expect(downstream.connections).toBe(0);
      }
    },
  );

  it('a caller who does not trust the certificate gets no answer', async () => {
    const { port } = await startTls('none');
    const client = grpcClient(port, NAMED, credentials.createSsl(pem('stranger-ca')));
    expect((await call(client, [])).status.code).toBe(Code.UNAVAILABLE);
  });

  it('a large message survives both ways', async () => {
    const { port } = await startTls('require');
    const creds = credentials.createSsl(pem('ca'), pem('client-key'), pem('client'));
    const message = Buffer.alloc(4 * 1024 * 1024, 'abc');
    const { messages } = await call(grpcClient(port, NAMED, creds), [message]);
    expect(messages[0]?.equals(message)).toBe(true);
  });

  it('a client without h2 is refused, in the counters and not otherwise', async () => {
    const { port, events } = await startTls('none');
    await closed(tlsSocket(port, {}));
    await closed(tlsSocket(port, { ALPNProtocols: ['http/1.1'] }));
    await events.seen('connection-refused', 2);
    expect(events.all.every(({ kind }) => kind === 'connection-refused')).toBe(true);
  });

  it('a client of TLS 1.1 is refused', async () => {
    const { port, events } = await startTls('none');
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await closed(tlsSocket(port, { ...old, ALPNProtocols: ['h2'] }));
    await events.seen('connection-refused');
  });

  it('who is refused is told of by what is wrong with him', async () => {
    const authority = makeAuthority();
    onTestFinished(() => authority.end());
    const { port, events } = await startDownstream({
      tls: { ...authority.leaf('gateway'), caCert: authority.caCert, clientAuth: 'require' },
    });
    const trusting = { ca: authority.caCert, ALPNProtocols: ['h2'] };
    const expired = authority.leaf('late', { days: -1 });
    const stranger = { cert: pem('stranger'), key: pem('stranger-key') };
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    for (const options of [{}, stranger, expired, old])
      await closed(tlsSocket(port, { ...trusting, ...options }));
    const plain = await tcp(port);
    plain.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await closed(plain);
    await events.seen('connection-refused', 5);
    const told = events.of('connection-refused').map(({ reason, detail }) => [reason, detail]);
    expect(told).toEqual([
      ['tls-handshake', 'peer did not return a certificate'],
      ['tls-handshake', 'client certificate: UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      ['tls-handshake', 'client certificate: CERT_HAS_EXPIRED'],
      ['tls-handshake', 'unsupported protocol'],
      ['tls-handshake', 'wrong version number'],
    ]);
    const counted = Object.entries(await samplesOf(events.all, 'tls_failures_total'));
    const faults = ['authority', 'expired', 'certificate', 'version', 'plaintext'];
    expect(Object.fromEntries(counted.filter(([, count]) => count > 0))).toEqual(
      Object.fromEntries(faults.map((fault) => [`{peer="callers",fault="${fault}"}`, 1])),
    );
  });

  it('a plain TCP connect that goes again is no refusal', async () => {
    const { port, events } = await startTls('none');
    const probe = await tcp(port);
    probe.end();
    await closed(probe);
    // A whole call later, its own events are the only ones.
    expect(await codeFor(port)).toBe(Code.OK);
    expect(events.all.map(({ kind }) => kind)).toEqual(['connection-opened']);
  });

  it('bytes that are no TLS are refused', async () => {
    const { port, events } = await startTls('none');
    const socket = await tcp(port);
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await closed(socket);
    await events.seen('connection-refused');
    expect(await codeFor(port)).toBe(Code.OK);
  });

  it('closing cuts a handshake that has not been finished', async () => {
    const { port, downstream } = await startTls('none');
    const silent = await tcp(port);
    expect(await codeFor(port)).toBe(Code.OK);
    downstream.close();
    await closed(silent);
  });
});

it('a key that is none is refused when the listener is made', () => {
  const make = () =>
    createDownstream({
      listen: { host: '127.0.0.1', port: 0 },
      tls: { ...serverTls('none'), key: 'no key' },
      limits: {
        maxConnections: 1,
        maxConcurrentStreams: 1,
        maxMetadataBytes: 4_096,
        maxMessageBytes: 1,
        ping: { intervalMs: 1_000, timeoutMs: 1_000 },
        limits: USUAL,
      },
      clock: systemClock,
      emit: () => {},
      handler: echo,
    });
  expect(make).toThrow(expect.objectContaining({ code: 'config-invalid' }));
});

describe('a connection over TLS from where another one was just cut off', () => {
  it('is held after its handshake, and served then', async () => {
    const clock = new ManualClock();
    const { port, events } = await startDownstream({
      tls: serverTls('none'),
      clock,
      limits: { pingsPerSecond: 5 },
    });
    const flood = tlsSocket(port, { ALPNProtocols: ['h2'] });
    await once(flood, 'secureConnect');
    rawPeer.send(flood, rawPeer.hello, ...Array.from({ length: 20 }, () => rawPeer.ping()));
    await closed(flood);
    await events.seen('connection-closed');
    const code = codeFor(port);
    await events.seen('connection-delayed');
    clock.advance(500);
    expect(await code).toBe(Code.OK);
    expect(events.of('connection-opened')).toHaveLength(2);
  });
});
