import type { Mode } from '../../src/config/config.js';
import {
  type ScriptedAnswer,
  type ScriptedCall,
  type ScriptedManager,
  type ScriptedSeenCall,
  startScriptedManager,
} from '../../src/simulator/manager/scripted-manager.js';
import { type Certificates, makeCertificates } from './certificates.js';
import { shown, type Target, travelling } from './promises-wire.js';
import { type RunningGateway, startGateway } from './running-gateway.js';

/** One of the ways in which the gateway stands between a caller and its manager. */
export type Way = { readonly name: string; readonly mode: Mode; readonly tls: boolean };

export const WAYS: readonly Way[] = [
  { name: 'in plaintext', mode: 'answer', tls: false },
  { name: 'with TLS on both sides', mode: 'answer', tls: true },
  { name: 'in mode observe', mode: 'observe', tls: false },
  { name: 'in mode bypass, with TLS', mode: 'bypass', tls: true },
];

/** What the manager does with a call. */
export type Script = {
  answer(call: ScriptedCall): ScriptedAnswer | Promise<ScriptedAnswer>;
  /** Answers before the half-close. */
  readonly streaming?: boolean;
};

/** What the manager has seen of one call, so that two can be compared. */
export type Seen = {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly messages: readonly string[];
};

/** A manager, and a gateway in front of it: calls can be made to the one and to the other. */
export interface World {
  readonly way: Way;
  readonly manager: ScriptedManager;
  readonly direct: Target;
  readonly through: Target;
  readonly running: RunningGateway;
  script(script: Script): void;
  /** Calls since the last asking, the gateway's own questions aside. */
  newCalls(): readonly ScriptedSeenCall[];
  /** As `newCalls`, but they stay new. */
  peek(): readonly ScriptedSeenCall[];
  /** In place of the running gateway: a new one, that remembers nothing. */
  restartGateway(): Promise<void>;
  stop(): Promise<void>;
}

const PROBE_HOSTNAME = 'manager-gateway-probe';
const GET_SCHEDULER = '/manager.v2.Manager/GetScheduler';
/** The gateway's own: nobody in the recordings has an address like this. */
const FRESH_IP = /127(\.\d{1,3}){3}/;
const ROLL_CALL = new Set([
  GET_SCHEDULER,
  '/manager.v2.Manager/GetSeedPeer',
  '/manager.v2.Manager/ListSchedulers',
]);
const NOT_FOUND: ScriptedAnswer = { status: { code: 13, message: 'record not found' } };

export async function startWorld(way: Way, sets: readonly string[] = []): Promise<World> {
  const certificates = way.tls ? makeCertificates() : undefined;
  let current: Script = { answer: () => ({}) };
  let counted = 0;
  const manager = await startScriptedManager({
    ...(certificates && { tls: { ...certificates.server, caCert: certificates.caCert, clientAuth: true } }),
    streaming: (path) => path !== GET_SCHEDULER && current.streaming === true,
    answer: (call) => (isProbe(call) ? NOT_FOUND : current.answer(call)),
  });
  const peek = (): ScriptedSeenCall[] =>
    manager
      .calls()
      .slice(counted)
      .filter((call) => !isProbe(call) && !isOfRollCall(call));
  const startOne = async (): Promise<RunningGateway> => {
    const running = await startGateway({
      managers: [certificates ? `https://${manager.address}` : manager.address],
      sets: [
        `mode=${way.mode}`,
        'metrics.enable=false',
        ...(certificates ? tlsSets(certificates) : []),
        ...sets,
      ],
    });
    await running.seen(({ kind }) => kind === 'probe-finished');
    return running;
  };
  let running = await startOne();

  return {
    way,
    manager,
    direct: { address: manager.address, certificates },
    get through() {
      return { address: running.address, certificates };
    },
    get running() {
      return running;
    },
    script(script) {
      current = script;
    },
    newCalls() {
      const fresh = peek();
      counted = manager.calls().length;
      return fresh;
    },
    peek,
    async restartGateway() {
      await running.gateway.stop();
      running = await startOne();
    },
    async stop() {
      await running.gateway.stop();
      await manager.stop();
    },
  };
}

function isProbe({ path, messages }: Pick<ScriptedSeenCall, 'path' | 'messages'>): boolean {
  return path === GET_SCHEDULER && messages[0]?.includes(PROBE_HOSTNAME) === true;
}

/** `answer` restarts before each recording; `observe` goes on, and asks who it is that says something else each time. */
function isOfRollCall({ path, messages }: Pick<ScriptedSeenCall, 'path' | 'messages'>): boolean {
  return ROLL_CALL.has(path) && FRESH_IP.test(messages[0]?.toString('latin1') ?? '');
}

function tlsSets({ caCert, server, client }: Certificates): string[] {
  const texts = {
    'server.tls.caCert': caCert,
    'server.tls.cert': server.cert,
    'server.tls.key': server.key,
    'managers.tls.caCert': caCert,
    'managers.tls.cert': client.cert,
    'managers.tls.key': client.key,
  };
  const pems = Object.entries(texts).map(([path, pem]) => `${path}=${JSON.stringify(pem)}`);
  return ['server.tls.clientAuth=require', ...pems];
}

export function seenOf({ path, metadata, messages }: ScriptedSeenCall): Seen {
  return { path, metadata: travelling(metadata), messages: messages.map(shown) };
}
