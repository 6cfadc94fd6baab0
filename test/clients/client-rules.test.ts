import { describe, expect, it } from 'vitest';
import { type ClientRules, createClientRules } from '../../src/clients/client-rules.js';
import { parseNamePattern } from '../../src/config/name-pattern.js';
import { METHOD_TABLE } from '../../src/route/method-table.js';
import { decodeRequest } from '../../src/route/proto.js';
import { ScriptedCall } from '../support/scripted-call.js';

function rulesIn(mode: 'off' | 'warn' | 'enforce'): ClientRules {
  const certificates = [parseNamePattern('*')];
  const rules = [{ name: 'all', certificates, methods: ['everything'], onlyItself: false }];
  return createClientRules({ section: { mode, rules }, decodeRequest, emit: () => undefined });
}

describe('a call over a connection on which nobody can show a certificate', () => {
  const paths = ['/manager.v2.Manager/KeepAlive', '/manager.v2.Manager/ListSchedulers', '/a.B/C'];
  const admit = (mode: 'off' | 'warn' | 'enforce', call: ScriptedCall) =>
    rulesIn(mode).admit(call, METHOD_TABLE.get(call.path));

  it.each(paths)('is that of who shows none, where rules are enforced: %s', (path) => {
    expect(() => admit('enforce', new ScriptedCall(path))).toThrow(/a caller without a certificate/);
    expect(() => admit('warn', new ScriptedCall(path))).not.toThrow();
  });

  it.each(paths)('is not looked at while they are off: %s', (path) => {
    const call = new ScriptedCall(path);
    expect(admit('off', call)).toBe(call);
  });
});
