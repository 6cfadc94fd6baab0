import { describe, expect, it } from 'vitest';
import { checkConfiguration } from '../../src/cli/doctor/configuration.js';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { asLine } from '../../src/cli/doctor/report.js';
import { configOf } from '../support/data-path.js';

const RULE = { name: 'a', certificates: ['*'], methods: ['reads'] };

it.each([
  ['off', [], []],
  [
    'off',
    [RULE],
    [/^server.clients.mode is off, with 1 rules: .* set it to warn first, and to enforce when /],
  ],
  ['warn', [RULE], [/^server.clients.mode is warn, with 1 rules: .* set it to enforce when /]],
  ['enforce', [RULE], []],
] as const)('rules about clients that refuse nobody are warned of: %s, %j', (mode, rules, expected) => {
  const config = configOf('', [`server.clients.rules=${JSON.stringify(rules)}`]);
  const { server } = config;
  const findings = checkConfiguration({
    ...config,
    server: { ...server, clients: { ...server.clients, mode } },
  });
  const warnings = findings.filter(({ verdict }) => verdict === 'warning');
  expect(warnings.map(({ found, advice }) => `${found}: ${advice}`)).toEqual(
    expected.map((words) => expect.stringMatching(words)),
  );
});

describe('a line of the doctor', () => {
  it('keeps to its line, whatever a stranger says in it', () => {
    const finding: Finding = {
      check: 'TLS',
      subject: 'a\nb',
      verdict: 'ok',
      found: '\u001b[2J x',
      advice: '',
    };
    expect(asLine(finding, (_colour, plain) => plain)).toBe('ok      TLS                  a b:  [2J x\n');
  });
});
