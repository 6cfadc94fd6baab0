import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScriptedAnswer } from '../../src/simulator/manager/scripted-manager.js';
import { expectAlike, type Scenario } from '../support/promises-alike.js';
import { listSchedulersOf, PATHS, textField, UNKNOWN_FIELDS } from '../support/promises-messages.js';
import type { Headers } from '../support/promises-wire.js';
import { type Script, startWorld, WAYS, type World } from '../support/promises-world.js';

const MIB = 1024 * 1024;

/** The same on an unknown path, for a read and for a write: they go through the gateway in three different ways. */
function threeWays(
  name: string,
  { headers, script, extra = Buffer.alloc(0) }: { headers?: Headers; script: Script; extra?: Buffer },
): Scenario[] {
  const common = { script, ...(headers && { headers }) };
  const message = Buffer.concat([listSchedulersOf(name.replaceAll(/[^a-z0-9]/gi, '-')), extra]);
  return [
    { ...common, name: `${name}, on a path nobody knows`, path: PATHS.unknownService, send: [message] },
    { ...common, name: `${name}, in a read`, path: PATHS.list, send: [message], kind: 'read' },
    { ...common, name: `${name}, in a write`, path: PATHS.updateScheduler, send: [message] },
  ];
}

const answering = (answer: ScriptedAnswer): Script => ({ answer: () => answer });
const echo: Script = { answer: ({ messages }) => ({ messages }) };
const packed = (compression: 'gzip' | 'deflate'): Script => ({
  answer: ({ messages }) => ({ messages, compression }),
});
const base64 = (...bytes: number[]): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '');

const REFUSALS: Scenario[] = [
  ['an unknown method', PATHS.unknownMethod, 'unknown method NoSuchMethod for service manager.v2.Manager'],
  ['an unknown service', PATHS.unknownService, 'unknown service no.such.Service'],
  ['a path of another form', '/a/b/c?d=e', 'malformed method name: "/a/b/c?d=e"'],
  [
    'a method that is not known yet',
    '/manager.v3.Manager/ListSchedulers',
    'unknown service manager.v3.Manager',
  ],
].map(([name = '', path = '', message = '']) => ({
  name: `${name} that the manager refuses`,
  path,
  send: [Buffer.from('question')],
  script: answering({ status: { code: 12, message }, trailersOnly: true }),
}));

const MESSAGES: Scenario[] = [
  {
    name: 'an unknown method that it knows',
    path: PATHS.unknownMethod,
    send: [Buffer.from('q')],
    script: echo,
  },
  {
    name: 'an unknown service that it knows',
    path: PATHS.unknownService,
    send: [Buffer.from('q')],
    script: echo,
  },
  ...threeWays('a message with unknown fields', { script: echo, extra: UNKNOWN_FIELDS }),
  ...threeWays('bytes that are no protobuf', { script: echo, extra: Buffer.from([0xff, 0xff]) }).map(
    // Who cannot read the question asks it of the manager, for this caller alone.
    (scenario): Scenario => ({ ...scenario, kind: 'passed' }),
  ),
  ...threeWays('an empty answer', { script: answering({ messages: [Buffer.alloc(0)] }) }),
  ...threeWays('OK without a message', { script: answering({}) }),
  ...threeWays('OK without a message, in one block', { script: answering({ trailersOnly: true }) }),
  ...threeWays('an answer of 20 MiB', {
    script: answering({ messages: [Buffer.alloc(20 * MIB, 'twenty mebibytes ')] }),
  }),
  ...threeWays('an answer packed with gzip', { script: packed('gzip') }),
  ...threeWays('an answer packed with deflate', { script: packed('deflate') }),
];

const REQUESTS_PACKED: Scenario[] = (['gzip', 'deflate'] as const).flatMap((compression) =>
  threeWays(`a request packed with ${compression}`, {
    headers: { 'grpc-encoding': compression },
    script: packed(compression),
    extra: textField(4, 'the same, the same, the same, the same, the same, the same, the same'),
  }).map(
    (scenario): Scenario => ({
      ...scenario,
      async send(call) {
        for (const message of scenario.send as readonly Buffer[]) void call.send(message, compression);
        call.halfClose();
      },
    }),
  ),
);

const TRACING = {
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
  baggage: 'userId=alice,serverNode=DF%2028,isProduction=false',
};

const METADATA: Scenario[] = [
  ...threeWays('tracing', { headers: TRACING, script: echo }),
  ...threeWays('keys nobody knows, several values, -bin keys', {
    headers: {
      'x-unknown': 'one value, with a comma; and "quotes"',
      'x-many': ['first', 'second', 'third'],
      'x-one-bin': base64(0, 1, 2, 255),
      'x-many-bin': [base64(1), base64(2, 3), `${base64(4, 5, 6)},${base64(7)}`],
      'x.dotted_and-dashed': 'yes',
      'x-empty': '',
      'x-spaces': 'inner  spaces',
    },
    script: echo,
  }),
  ...threeWays('headers and trailers of the manager', {
    script: {
      answer: ({ messages }) => ({
        messages,
        headers: { 'x-head': 'h', 'x-heads': ['a', 'b'], 'x-head-bin': base64(0, 254), 'x-both': 'head' },
        trailers: {
          'x-tail': 't',
          'x-tails': ['c', 'd'],
          'x-tails-bin': [base64(9), base64(8, 7)],
          'x-both': 'tail',
        },
      }),
    },
  }),
  ...threeWays('headers and trailers without a message', {
    script: answering({ headers: { 'x-head': 'h' }, trailers: { 'x-tail': 't' } }),
  }),
  ...threeWays('8 KiB of it both ways', {
    headers: { 'x-large': 'x'.repeat(8_192) },
    script: {
      answer: ({ messages }) => ({ messages, trailers: { 'x-large': 'y'.repeat(8_192) } }),
    },
  }),
];

const STATUSES: Scenario[] = [
  ...threeWays('an error with details', {
    script: answering({
      status: { code: 3, message: 'invalid UpdateSchedulerRequest' },
      trailers: { 'grpc-status-details-bin': base64(8, 3, 18, 7, 105, 110, 118, 97, 108, 105, 100) },
    }),
  }),
  ...threeWays('an error with details, in one block', {
    script: answering({
      status: { code: 9, message: 'precondition' },
      trailers: { 'grpc-status-details-bin': base64(8, 9), 'x-tail': 't' },
      trailersOnly: true,
    }),
  }),
  ...threeWays('an error in every script', {
    script: answering({
      status: { code: 5, message: 'nicht gefunden: „größe" 未找到 🐉 100 %\nline two\ttab %41 #;/?:@&=+$,' },
    }),
  }),
  ...threeWays('an error whose words are escaped more than they must be', {
    script: answering({
      status: { code: 5, message: '' },
      trailers: { 'grpc-message': '%23%3Fno%20such%2Fthing%3B%2523%20100%25' },
    }),
  }),
  ...threeWays('an error without words', { script: answering({ status: { code: 7, message: '' } }) }),
  ...threeWays('a code beyond the standard', { script: answering({ status: { code: 42, message: 'odd' } }) }),
  ...threeWays('an OK with words', {
    script: answering({ messages: [Buffer.from('a')], status: { code: 0, message: 'fine' } }),
  }),
];

describe.each(WAYS)('the gateway $name', (way) => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld(way, ['retry.maxAttempts=1']);
  });
  afterAll(() => world.stop());

  describe.each([
    ['refusals', REFUSALS],
    ['messages', [...MESSAGES, ...REQUESTS_PACKED]],
    ['metadata', METADATA],
    ['statuses', STATUSES],
  ])('is not noticed in %s:', (_group, scenarios) => {
    it.each(scenarios)('$name', async (scenario) => {
      const outcome = await expectAlike(world, scenario);
      // Alike in nothing would be alike, too.
      expect(outcome.code).toBeDefined();
    });
  });

  it('carries every code there is', async () => {
    for (let code = 1; code <= 16; code++) {
      const name = `code-${code}`;
      const script = answering({ status: { code, message: `of code ${code}` } });
      for (const scenario of threeWays(name, { script })) await expectAlike(world, scenario);
    }
  });
});
