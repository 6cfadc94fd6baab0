import { afterEach, expect, it } from 'vitest';
import { createGatewayCaller } from '../../src/cli/gateway-caller.js';
import { type ScriptedManager, startScriptedManager } from '../../src/simulator/manager/scripted-manager.js';
import { makeCertificates } from '../support/certificates.js';

const PATH = '/manager.v2.Manager/ListApplications';
let peer: ScriptedManager;
afterEach(() => peer.stop());

it('a peer that is named by its address is verified by it, and asked for no name: Node warns of that (DEP0123)', async () => {
  const warnings: Error[] = [];
  process.on('warning', (warning) => warnings.push(warning));
  const { caCert, server } = makeCertificates('IP:127.0.0.1');
  peer = await startScriptedManager({
    tls: { ...server, caCert },
    answer: () => ({ messages: [Buffer.from('said')] }),
  });
  const called = async (trusted: string): Promise<string> => {
    const caller = createGatewayCaller({
      authority: peer.address,
      tls: true,
      caCert: trusted,
      cert: '',
      key: '',
    });
    const { message, status } = await caller.call(PATH, Buffer.alloc(0), 10_000);
    caller.close();
    return message === undefined ? status.message : String(message);
  };
  expect(await called(caCert)).toBe('said');
  expect(await called(makeCertificates().caCert)).toMatch(/unable to verify|self.signed/);
  // Warnings are told of at the next turn.
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings.filter(({ name }) => name === 'DeprecationWarning')).toEqual([]);
});

it('and one whose certificate is for another address is refused', async () => {
  const { caCert, server } = makeCertificates('IP:127.0.0.2');
  peer = await startScriptedManager({ tls: { ...server, caCert }, answer: () => ({}) });
  const caller = createGatewayCaller({ authority: peer.address, tls: true, caCert, cert: '', key: '' });
  const { status } = await caller.call(PATH, Buffer.alloc(0), 10_000);
  caller.close();
  expect(status.message).toContain('127.0.0.1');
});
