import { expect, it } from 'vitest';
import type { GatewayEvent } from '../../src/observe/events.js';
import { startScriptedManager } from '../../src/simulator/manager/scripted-manager.js';
import { ManualClock } from '../support/manual-clock.js';
import { perform } from '../support/promises-alike.js';
import {
  answerOf,
  bytesOf,
  isRead,
  RECORDINGS,
  type Recorded,
  recordings,
} from '../support/recorded-calls.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';
import { samplesIn } from '../support/told.js';
import { until } from '../support/until.js';

type Would = Extract<GatewayEvent, { kind: 'would-have-answered' }>;

const flightsOf = async ({ bound }: RunningGateway): Promise<number | undefined> => {
  const metrics = await fetch(`http://127.0.0.1:${bound.metrics?.port}/metrics`);
  return Object.values(samplesIn(await metrics.text(), 'flights'))[0];
};

/** A manager that says what was recorded, one gateway that observes it, and one that answers. */
async function startPair() {
  const clock = new ManualClock();
  // The gateways ask by themselves, too: again what was asked before, and for rows that nobody has.
  const said = new Map<string, Recorded>();
  const keyOf = (path: string, request: Buffer | undefined): string => `${path} ${request?.toString('hex')}`;
  const manager = await startScriptedManager({
    answer({ path, messages: [request] }) {
      const recorded = said.get(keyOf(path, request));
      return recorded ? answerOf(recorded) : { status: { code: 13, message: 'record not found' } };
    },
  });
  const start = async (mode: string): Promise<RunningGateway> => {
    const sets = [`mode=${mode}`, 'retry.maxAttempts=1', 'breaker.volumeThreshold=100000'];
    const running = await startGateway({ managers: [manager.address], sets, clock });
    await running.seen(({ kind }) => kind === 'probe-finished');
    return running;
  };
  const [observing, answering] = [await start('observe'), await start('answer')];
  const wouldHave = (): Would[] =>
    observing.events.filter((event): event is Would => event.kind === 'would-have-answered');

  /** What the caller was told of the answer, and what was counted for the one who observes. */
  const ask = async (recorded: Recorded): Promise<{ answered: string; would: string }> => {
    const before = wouldHave().length;
    const { path, request = '' } = recorded;
    const send = bytesOf(request);
    said.set(keyOf(path, send[0]), recorded);
    const scenario = {
      name: path,
      path,
      send,
      script: { answer: () => ({}) },
    };
    const [, outcome] = await Promise.all(
      [observing, answering].map(({ address }) => perform({ address, certificates: undefined }, scenario)),
    );
    await until('it is counted', () => wouldHave().length === before + 1);
    const { answer, source } = wouldHave()[before] as Would;
    const { 'x-dfmgw-cache': cache = 'miss', 'x-dfmgw-via': via = 'own' } = outcome?.trailers ?? {};
    if (cache !== 'miss')
      await until('nothing is asked behind', async () => (await flightsOf(answering)) === 0);
    return { answered: `${path} ${cache} ${via}`, would: `${path} ${answer} ${source}` };
  };
  const stop = async (): Promise<void> => {
    await Promise.all([observing.gateway.stop(), answering.gateway.stop()]);
    await manager.stop();
  };
  return { clock, ask, stop };
}

it.each(RECORDINGS)(
  'observe counts of each recorded read what answer answers: %s',
  async (file) => {
    const pair = await startPair();
    const kinds = new Set<string>();
    try {
      // Fresh, just expired, and long expired.
      for (const passMs of [1_000, 40_000, 400_000]) {
        for (const recorded of recordings(file).filter(isRead)) {
          for (let times = 0; times < 2; times++) {
            const { answered, would } = await pair.ask(recorded);
            expect(would).toBe(answered);
            kinds.add(answered.split(' ')[1] ?? '');
          }
          await pair.clock.advanceAsync(passMs);
        }
      }
    } finally {
      await pair.stop();
    }
    expect(kinds).toEqual(new Set(['hit', 'stale', 'miss']));
  },
  120_000,
);
