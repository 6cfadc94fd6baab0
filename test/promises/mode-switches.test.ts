import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Mode } from '../../src/config/config.js';
import { decodeResponse } from '../../src/route/proto.js';
import { seedFromRecordings } from '../../src/simulator/manager/recorded-rows.js';
import { startSimulatedManager } from '../../src/simulator/manager/simulated-manager.js';
import { type Called, type Caller, connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { runGateway } from '../support/gateway-process.js';
import { ShieldNode } from '../support/shield-node.js';
import { member, scaledSettings } from '../support/shield-world.js';
import { until } from '../support/until.js';

const V2 = '/manager.v2.Manager';
const LIST = `${V2}/ListSchedulers`;
const GET = `${V2}/GetScheduler`;
const UPDATE = `${V2}/UpdateScheduler`;
const APPLICATIONS = `${V2}/ListApplications`;
const UNKNOWN = '/no.such.Service/Method';
const WATCH = '/grpc.health.v1.Health/Watch';

const CALLERS = 30;
const NODES = 9;
/** Sixty: test/hard/numbers. */
const SWITCHES = Number(process.env.SWITCHES ?? 18);
/** Made in each mode before the next one. */
const CALLS_PER_MODE = 150;
/** Nodes beat so much faster than in life, that the manager would notice within the test. */
const TIME_FACTOR = 10;
const TOKEN = 'the token of this test';

const owned: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of owned.splice(0).reverse()) await end();
});

/** The built command in front of a simulated manager, and the two ways to switch its mode. */
async function startGateway() {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-modes-'));
  owned.push(() => rmSync(directory, { recursive: true }));
  const record = seedFromRecordings({ version: 'v2.5.1' });
  const manager = await startSimulatedManager({ record, timeFactor: TIME_FACTOR });
  owned.push(() => manager.stop());
  const file = join(directory, 'manager-gateway.yaml');
  const write = (mode: Mode): void =>
    writeFileSync(
      file,
      JSON.stringify({
        mode,
        server: { listen: '127.0.0.1:0' },
        managers: { addrs: [manager.address] },
        metrics: { enable: false },
        admin: { addr: '127.0.0.1:0', token: TOKEN },
        snapshot: { dir: directory },
        // On a busy machine half a second (cache.responseTimer) is soon over, and the answer from before a write is what there is then.
        cache: { responseTimer: '3s' },
      }),
    );
  write('answer');
  const sets = scaledSettings(TIME_FACTOR).flatMap((set) => ['--set', set]);
  const running = runGateway(['serve', '--config', file, ...sets]);
  owned.push(async () => {
    running.child.kill('SIGKILL');
    await running.exited;
  });
  const { listen, admin } = (await running.line({ event: 'started' })) as Record<string, string>;
  await running.line({ event: 'address-state-changed', to: 'healthy' });
  let changes = 0;
  const changed = async (): Promise<void> => {
    changes++;
    await until('the mode has changed', () => {
      return running.lines.filter(({ event }) => event === 'mode-changed').length === changes;
    });
  };
  return {
    manager,
    running,
    address: listen as string,
    async post(mode: Mode): Promise<void> {
      const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
      const posted = await fetch(`http://${admin}/api/mode`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ mode }),
      });
      expect(posted.status).toBe(200);
      await changed();
    },
    async reload(mode: Mode): Promise<void> {
      write(mode);
      running.child.kill('SIGHUP');
      await changed();
    },
  };
}

const hostnames = ({ response }: Called): string[] => {
  const { schedulers } = decodeResponse(LIST, response ?? Buffer.alloc(0)) as {
    schedulers: { hostname: string }[];
  };
  return schedulers.map(({ hostname }) => hostname);
};

/** Calls as fast as it is answered, and says of each answer what is wrong with it. */
class LoadedCaller {
  readonly wrong: string[] = [];
  readonly sources: Record<string, number> = {};
  calls = 0;
  stopped = false;
  readonly #caller: Caller;
  readonly #name: { hostname: string; ip: string };
  readonly #listed: readonly string[];

  /** `listed`: what is in every list. */
  constructor(caller: Caller, number: number, listed: readonly string[]) {
    this.#caller = caller;
    this.#name = { hostname: `busy-${number}`, ip: `127.99.0.${number}` };
    this.#listed = listed;
  }

  async run(): Promise<void> {
    for (let turn = 0; !this.stopped; turn++) {
      await this.#writeAndRead(`idc-${turn}`);
      await this.#check(LIST, { ...this.#name, idc: 'idc-1' }, (answer) => {
        const found = new Set(hostnames(answer));
        return answer.code === 0 && this.#listed.every((hostname) => found.has(hostname));
      });
      await this.#check(APPLICATIONS, this.#name, ({ code }) => code === 0);
      await this.#check(GET, { hostname: 'nobody', ip: this.#name.ip, scheduler_cluster_id: 1 }, (answer) =>
        answer.message.includes('record not found'),
      );
      await this.#check(UNKNOWN, undefined, ({ code }) => code === 12);
    }
  }

  /** What it has written it must find, whatever the mode was when it wrote and is when it reads. */
  async #writeAndRead(idc: string): Promise<void> {
    const node = { ...this.#name, scheduler_cluster_id: 1 };
    const isWritten = ({ code, response }: Called): boolean =>
      code === 0 && decodeResponse(GET, response ?? Buffer.alloc(0)).idc === idc;
    await this.#check(UPDATE, { ...node, port: 8002, idc }, isWritten);
    await this.#check(GET, node, isWritten);
  }

  async #check(
    path: string,
    fields: object | undefined,
    isRight: (answer: Called) => boolean,
  ): Promise<void> {
    const request = fields === undefined ? Buffer.from('question') : requestOf(path, fields);
    const answer = await this.#caller.call(path, request).catch((error: Error) => error);
    this.calls++;
    if (answer instanceof Error) this.wrong.push(`${path} ${answer.message}`);
    else {
      const source = answer.trailers['x-dfmgw-cache'] ?? 'none';
      this.sources[source] = (this.sources[source] ?? 0) + 1;
      if (!isRight(answer)) this.wrong.push(`${path} ${answer.code} ${answer.message} (${source})`);
    }
  }
}

it(`${SWITCHES} switches of the mode under load lose no call, give no wrong answer, and break no stream`, async () => {
  const { manager, running, address, post, reload } = await startGateway();
  const connect = async (): Promise<Caller> => {
    const caller = await connectCaller(address);
    owned.push(() => caller.close());
    return caller;
  };
  const first = await (await connect()).call(
    LIST,
    requestOf(LIST, { hostname: 'h', ip: '127.0.0.1', idc: 'idc-1' }),
  );
  const listed = hostnames(first);
  expect(listed.length).toBeGreaterThan(0);

  // Calls are under way at every switch.
  manager.setFault({ kind: 'slow', delayMs: 20 });
  const callers: LoadedCaller[] = [];
  for (let number = 1; number <= CALLERS; number++)
    callers.push(new LoadedCaller(await connect(), number, listed));
  const calls = (): number => callers.reduce((sum, caller) => sum + caller.calls, 0);
  const load = Promise.all(callers.map((caller) => caller.run()));

  const nodes: ShieldNode[] = [];
  owned.push(() => Promise.all(nodes.map((node) => node.stop())));
  const addNode = async (): Promise<void> => {
    const node = new ShieldNode({ ...member(nodes.length), address, timeFactor: TIME_FACTOR });
    nodes.push(node);
    await node.start();
  };
  while (nodes.length < NODES) await addNode();

  const watches: { readonly over: () => boolean; cancel(): void }[] = [];
  // From each to each other.
  const modes: readonly Mode[] = ['observe', 'bypass', 'answer', 'bypass', 'observe', 'answer'];
  let inFile: Mode = 'answer';
  for (let nth = 0; nth < SWITCHES; nth++) {
    const mode = modes[nth % modes.length] as Mode;
    // What the file says is taken when it says something new.
    if (nth % 2 === 0 && mode !== inFile) {
      inFile = mode;
      await reload(mode);
    } else await post(mode);
    // Streams begin in every mode, and live through all that come after it.
    if (nth % 5 === 0) await addNode();
    const watch = (await connect()).begin(WATCH, Buffer.alloc(0));
    let over = false;
    void watch.called.finally(() => {
      over = true;
    });
    watches.push({ over: () => over, cancel: watch.cancel });
    const enough = calls() + CALLS_PER_MODE;
    await until('calls were made in this mode', () => calls() >= enough, 60_000);
  }
  const history = (node: ShieldNode) => manager.record.stateHistory(node.name);
  await until('every node is active', () => nodes.every((node) => history(node).at(-1)?.state === 'active'));

  for (const caller of callers) caller.stopped = true;
  await load;
  expect(callers.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(nodes.map(({ streams }) => streams)).toEqual(nodes.map(() => ({ opened: 1, broken: 0 })));
  // Once active, active.
  const lapses = nodes.flatMap((node) => {
    const states = history(node).map(({ state, cause }) => `${state} by ${cause}`);
    return states
      .slice(states.findIndex((state) => state.startsWith('active')))
      .filter((state) => !state.startsWith('active'));
  });
  expect(lapses).toEqual([]);
  expect(watches.filter(({ over }) => over())).toEqual([]);
  // All modes were under load.
  const sources = Object.assign({}, ...callers.map((caller) => caller.sources));
  expect(Object.keys(sources)).toEqual(expect.arrayContaining(['hit', 'miss', 'none']));
  expect(running.lines.filter(({ level }) => level === 'error')).toEqual([]);
  for (const watch of watches) watch.cancel();
}, 300_000);
