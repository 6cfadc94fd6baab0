import { expect } from 'vitest';
import { connectWire, type Headers, type Target, type WireCall, type WireOutcome } from './promises-wire.js';
import { type Script, seenOf, type World } from './promises-world.js';

/** One call, what its manager does with it, and how the caller goes about it. */
export type Scenario = {
  readonly name: string;
  readonly path: string;
  readonly headers?: Headers;
  /** Messages, sent at once and half-closed; or something less simple. */
  readonly send: readonly Buffer[] | ((call: WireCall) => Promise<void>);
  readonly script: Script;
  /** In mode answer: a `read` says where its answer comes from; what is `local` never gets to the manager. Default: passed. */
  readonly kind?: 'read' | 'local' | 'passed';
};

/** Only in the trailers of what is answered from the cache, or might be next time. */
const PROVENANCE = { 'x-dfmgw-cache': 'miss', 'x-dfmgw-age-ms': expect.stringMatching(/^\d+$/) };

/** The same call to the manager itself and through the gateway: for caller and manager it must be the same. */
export async function expectAlike(world: World, scenario: Scenario): Promise<WireOutcome> {
  world.script(scenario.script);
  world.newCalls();
  const directly = await perform(world.direct, scenario);
  const seenDirectly = world.newCalls().map(seenOf);
  const { own, outcome } = withoutOwn(await perform(world.through, scenario));
  const seenThrough = world.newCalls().map(seenOf);

  const kind = world.way.mode === 'answer' ? scenario.kind : 'passed';
  expect(outcome).toEqual(directly);
  expect(seenThrough).toEqual(kind === 'local' ? [] : seenDirectly);
  expect(own).toEqual(kind === 'read' ? PROVENANCE : {});
  return directly;
}

export async function perform(target: Target, { path, headers, send }: Scenario): Promise<WireOutcome> {
  const caller = await connectWire(target);
  try {
    const call = caller.open(path, headers);
    if (typeof send === 'function') await send(call);
    else {
      for (const message of send) void call.send(message);
      call.halfClose();
    }
    return await call.outcome;
  } finally {
    await caller.close();
  }
}

/** Takes out what the gateway says of itself. */
function withoutOwn(outcome: WireOutcome): { own: Record<string, string>; outcome: WireOutcome } {
  const entries = Object.entries(outcome.trailers);
  const isOwn = ([key]: [string, string]): boolean => key.startsWith('x-dfmgw-');
  return {
    own: Object.fromEntries(entries.filter(isOwn)),
    outcome: { ...outcome, trailers: Object.fromEntries(entries.filter((entry) => !isOwn(entry))) },
  };
}
