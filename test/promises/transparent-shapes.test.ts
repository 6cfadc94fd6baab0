import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScriptedCall } from '../../src/simulator/manager/scripted-manager.js';
import { requestOf } from '../support/data-path.js';
import { framed } from '../support/framed.js';
import { expectAlike, perform, type Scenario } from '../support/promises-alike.js';
import { listSchedulersOf, PATHS, UNKNOWN_FIELDS } from '../support/promises-messages.js';
import { shown, type WireCall } from '../support/promises-wire.js';
import { type Script, startWorld, WAYS, type World } from '../support/promises-world.js';

/** More than a window of HTTP/2 holds. Ten thousand: test/hard/numbers. */
const MANY = Number(process.env.MESSAGES ?? 5_000);
const TURNS = MANY / 5;
const KEEP_ALIVE = [Buffer.from('first beat'), Buffer.from('second beat'), Buffer.from('third beat')];

function numbered(count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => Buffer.from(`message ${index}`));
}

/** Sends each message back as it comes. */
async function* returning({ read }: ScriptedCall): AsyncGenerator<Buffer> {
  for (let message = await read(); message !== undefined; message = await read()) yield message;
}

const echoing: Script = { streaming: true, answer: (call) => ({ messages: returning(call) }) };

/** One at a time: the next one only when the last one has come back. */
const inTurns = (count: number) => async (call: WireCall) => {
  for (let index = 0; index < count; index++) {
    void call.send(Buffer.from(`turn ${index}`));
    await call.received(index + 1);
  }
  call.halfClose();
};

/** All of them, as fast as they are taken. */
const atOnce = (count: number) => async (call: WireCall) => {
  for (const message of numbered(count)) void call.send(message);
  call.halfClose();
};

/** The half-close comes when the manager has been seen to answer, or has had time to. */
const late = (message: Buffer) => async (call: WireCall) => {
  await call.send(message);
  await new Promise((resolve) => setImmediate(resolve));
  call.halfClose();
};

const STREAMS: Scenario[] = [
  {
    name: `a bidirectional stream of ${TURNS} messages, in turns`,
    path: PATHS.unknownService,
    send: inTurns(TURNS),
    script: echoing,
  },
  {
    name: `a bidirectional stream of ${MANY} messages, at once`,
    path: PATHS.unknownService,
    send: atOnce(MANY),
    script: echoing,
  },
  {
    name: `a server stream of ${MANY} messages`,
    path: PATHS.unknownMethod,
    send: [Buffer.from('q')],
    script: { answer: () => ({ messages: numbered(MANY) }) },
  },
  {
    name: `a client stream of ${MANY} messages`,
    path: PATHS.unknownMethod,
    send: numbered(MANY),
    script: { answer: ({ messages }) => ({ messages: [Buffer.from(`${messages.length}`)] }) },
  },
  {
    name: 'a client stream that ends OK without a message',
    path: PATHS.keepAlive,
    send: KEEP_ALIVE,
    script: { answer: () => ({}) },
  },
  {
    name: 'a stream without a message on either side',
    path: PATHS.keepAlive,
    send: [],
    script: { answer: () => ({}) },
  },
  {
    name: 'a stream with a message of no bytes',
    path: PATHS.keepAlive,
    send: [Buffer.alloc(0)],
    script: echoing,
  },
  {
    name: 'large messages both ways',
    path: PATHS.unknownService,
    send: [1, 2, 3, 4].map((n) => Buffer.alloc(1_000_000 * n, `${n}`)),
    script: echoing,
  },
  {
    // Of a KeepAlive nobody knows whose it is before its first message, so that the manager sees nothing of it (decision 18).
    name: 'headers before the first message was sent',
    path: PATHS.unknownMethod,
    async send(call) {
      await call.received(1);
      call.halfClose();
    },
    script: {
      streaming: true,
      answer: (call) => ({ headers: { 'x-early': 'yes' }, messages: first(Buffer.from('hello'), call) }),
    },
  },
];

async function* first(greeting: Buffer, call: ScriptedCall): AsyncGenerator<Buffer> {
  yield greeting;
  yield* returning(call);
}

const node = (hostname: string): Buffer =>
  requestOf(PATHS.keepAlive, {
    source_type: 'SCHEDULER_SOURCE',
    cluster_id: '1',
    hostname: hostname.replaceAll(/[^a-z]/g, '-'),
    ip: '127.0.0.1',
  });

/** In mode answer the gateway holds the streams of nodes itself, and the node is not to notice. */
const NODES: Scenario[] = (
  [
    ['that ends OK without a message', {}],
    [
      'that ends OK with headers and trailers',
      { headers: { 'x-head': 'h' }, messages: [Buffer.from('m')], trailers: { 'x-tail': 't' } },
    ],
    [
      'that is refused',
      {
        status: { code: 3, message: 'invalid KeepAliveRequest' },
        trailers: { 'grpc-status-details-bin': 'CAMSB2ludmFsaWQ', 'x-tail': 't' },
        trailersOnly: true,
      },
    ],
    ['of whom the manager has no row', { status: { code: 13, message: 'record not found' } }],
  ] as const
).map(([name, answer]) => ({
  name: `a stream of a node ${name}`,
  path: PATHS.keepAlive,
  headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'x-one-bin': 'AAEC' },
  send: [node(name), Buffer.concat([node(name), UNKNOWN_FIELDS]), node(name)],
  script: { answer: () => answer },
}));

const HALF_CLOSES: Scenario[] = [
  {
    name: 'a read whose caller half-closes late',
    path: PATHS.list,
    send: late(listSchedulersOf('late')),
    script: { answer: ({ messages }) => ({ messages }) },
    kind: 'read',
  },
  {
    name: 'a write whose caller half-closes late',
    path: PATHS.updateScheduler,
    send: late(listSchedulersOf('late')),
    script: { answer: ({ messages }) => ({ messages }) },
  },
  {
    name: 'an unknown call whose caller half-closes after the answer',
    path: PATHS.unknownService,
    send: inTurns(1),
    script: echoing,
  },
  {
    name: 'a read with two messages',
    path: PATHS.list,
    send: [listSchedulersOf('two'), Buffer.from('two')],
    script: { answer: ({ messages }) => ({ messages: messages.slice(0, 1) }) },
  },
  {
    name: 'a read without a message',
    path: PATHS.list,
    send: [],
    script: { answer: () => ({ status: { code: 13, message: 'EOF' } }) },
  },
  {
    name: 'a write without a message',
    path: PATHS.updateScheduler,
    send: [],
    script: { answer: () => ({ status: { code: 13, message: 'EOF' } }) },
  },
  {
    name: 'a read of one who shows a credential',
    path: PATHS.list,
    headers: { authorization: 'Bearer x' },
    send: [listSchedulersOf('secret')],
    script: { answer: ({ messages }) => ({ messages }) },
  },
];

const FAILURES: Scenario[] = [
  {
    name: 'an error after messages that the caller has seen',
    path: PATHS.keepAlive,
    send: inTurns(3),
    script: {
      streaming: true,
      answer: (call) => ({ messages: returning(call), status: { code: 13, message: 'record not found' } }),
    },
  },
  {
    name: 'an error right behind ten messages',
    path: PATHS.unknownService,
    send: [Buffer.from('q')],
    script: {
      answer: () => ({
        messages: numbered(10),
        status: { code: 14, message: 'going away' },
        trailers: { 'x-tail': 't' },
      }),
    },
  },
  {
    name: `an error right behind ${MANY} messages`,
    path: PATHS.unknownService,
    send: [Buffer.from('q')],
    script: { answer: () => ({ messages: numbered(MANY), status: { code: 8, message: 'enough' } }) },
  },
  {
    name: 'an error right behind 200 messages in one piece',
    path: PATHS.unknownService,
    send: [Buffer.from('q')],
    script: {
      answer: () => ({
        rawBody: Buffer.concat(Array.from({ length: 200 }, (_, n) => framed(Buffer.alloc(2_000, `${n} `)))),
        status: { code: 8, message: 'enough' },
      }),
    },
  },
  {
    name: 'an error right behind a large message',
    path: PATHS.unknownService,
    send: [Buffer.from('q')],
    script: {
      answer: () => ({ messages: [Buffer.alloc(3_000_000, 'l')], status: { code: 8, message: 'enough' } }),
    },
  },
];

/** The manager has had enough while the caller would go on: only what the caller gets can be compared. */
const CUT_SHORT: Scenario[] = [0, 5].map((code) => ({
  name: `a manager that ends a stream with code ${code} while the caller still sends`,
  path: PATHS.keepAlive,
  async send(call) {
    void call.send(Buffer.from('one'));
    await call.received(1);
    for (const message of numbered(100)) void call.send(message);
  },
  script: {
    streaming: true,
    answer: async ({ read }) => {
      const one = await read();
      return {
        messages: one ? [one] : [],
        status: { code, message: code === 0 ? '' : 'no more' },
        trailers: { 'x-tail': 't' },
      };
    },
  },
}));

describe.each(WAYS)('the gateway $name', (way) => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld(way, ['retry.maxAttempts=1']);
  });
  afterAll(() => world.stop());

  describe.each([
    ['streams', STREAMS],
    ['streams of nodes', NODES],
    ['half-closes', HALF_CLOSES],
    ['failures', FAILURES],
  ])('is not noticed in %s:', (_group, scenarios) => {
    it.each(scenarios)('$name', async (scenario) => {
      const outcome = await expectAlike(world, scenario);
      expect(outcome.code).toBeDefined();
    });
  });

  it.each(CUT_SHORT)('passes on $name', async (scenario) => {
    world.script(scenario.script);
    const directly = await perform(world.direct, scenario);
    expect(await perform(world.through, scenario)).toEqual(directly);
    expect(directly).toMatchObject({ messages: [shown(Buffer.from('one'))], trailers: { 'x-tail': 't' } });
  });
});
