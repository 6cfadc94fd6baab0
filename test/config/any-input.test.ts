import fc from 'fast-check';
import { expect, test } from 'vitest';
import { everyKey } from '../../src/config/look-up.js';
import { refusals } from './refusals.js';

// `refusals` throws on anything that is not a ConfigError: that is what these would catch.

const paths = everyKey().map(({ path }) => path);
const path = fc.oneof(
  fc.constantFrom(...paths),
  fc.tuple(fc.constantFrom(...paths), fc.nat(4)).map(([whole, length]) => whole.slice(0, length)),
  fc.array(fc.constantFrom('server', 'tls', '__proto__', 'constructor', '', '0', 'a.b'), { maxLength: 4 }),
);
const value = fc.oneof(
  fc.json(),
  fc.string(),
  fc.constantFrom(
    '5s',
    '-1',
    '0',
    '~',
    '[',
    '{a: 1}',
    '["a:1", 5]',
    '*x',
    '!t x',
    '"',
    '-----BEGIN X-----',
    ':0',
  ),
);

test('any variables and --sets are taken, or refused in one line each', () => {
  const entry = fc.tuple(path, value);
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), fc.array(entry, { maxLength: 5 }), (variables, given) => {
      const env = Object.fromEntries(variables.map(([steps, text]) => [`DFMGW__${steps.join('__')}`, text]));
      const sets = given.map(([steps, text]) => `${steps.join('.')}=${text}`);
      for (const line of refusals('', { env, sets })) expect(line).toMatch(/: found .*; allowed: /);
    }),
    { numRuns: 300 },
  );
});

test('any file is taken, or refused in one line each that says where', () => {
  const lines = fc.array(
    fc.tuple(
      fc.constantFrom('', '  ', '    ', '- '),
      fc.constantFrom('server', 'tls', 'mode', '&x a', '?', '---', '<<'),
      value,
    ),
    { maxLength: 8 },
  );
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    lines.map((all) => all.map(([indent, key, text]) => `${indent}${key}: ${text}`).join('\n')),
  );
  fc.assert(
    fc.property(text, (yaml) => {
      for (const line of refusals(yaml)) expect(line).toMatch(/g\.yaml:\d+:\d+\)?: found .*; allowed: /);
    }),
    { numRuns: 500 },
  );
});
