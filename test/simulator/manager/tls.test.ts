import { ChannelCredentials } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { startScriptedManager } from '../../../src/simulator/manager/scripted-manager.js';
import { startSimulatedManager } from '../../../src/simulator/manager/simulated-manager.js';
import { makeCertificates } from '../../support/certificates.js';
import { hostnames, listSchedulers } from './questions.js';
import { RawClient } from './raw-client.js';

const certificates = makeCertificates();
const { caCert, server, client } = certificates;
const tls = { ...server, caCert, clientAuth: true };

function channel(withCertificate: boolean): ChannelCredentials {
  const key = withCertificate ? Buffer.from(client.key) : null;
  const cert = withCertificate ? Buffer.from(client.cert) : null;
  return ChannelCredentials.createSsl(Buffer.from(caCert), key, cert);
}

describe('a manager with mutual TLS', () => {
  it('serves a caller with a certificate and nobody without', async () => {
    const manager = await startSimulatedManager({ tls });
    const known = new RawClient(manager.address, channel(true));
    const stranger = new RawClient(manager.address, channel(false));
    expect(hostnames(await listSchedulers(known))).toEqual(['sched-a', 'sched-b']);
    expect((await listSchedulers(stranger)).code).toBe(14);
    manager.setFault({ kind: 'connection-age', graceMs: 50 });
    await expect.poll(() => manager.stats.connectionsOpen, { timeout: 5_000 }).toBe(0);
    known.close();
    stranger.close();
    await manager.stop();
  });

  it('is as well what a scripted one can have', async () => {
    const manager = await startScriptedManager({ tls, answer: ({ messages }) => ({ messages }) });
    const known = new RawClient(manager.address, channel(true));
    const stranger = new RawClient(manager.address, channel(false));
    expect((await known.unary('/any/Path', Buffer.from('x'))).response).toEqual(Buffer.from('x'));
    expect((await stranger.unary('/any/Path', Buffer.from('x'))).code).toBe(14);
    known.close();
    stranger.close();
    await manager.stop();
  });
});
