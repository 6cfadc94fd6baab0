import { Counters } from '../../../src/simulator/fleet/counters.js';
import { createIdentity, type MemberKind } from '../../../src/simulator/fleet/identity.js';
import { LackMeter } from '../../../src/simulator/fleet/lack-meter.js';
import { createPace } from '../../../src/simulator/fleet/pace.js';
import { Pod } from '../../../src/simulator/fleet/pod.js';
import type { Program } from '../../../src/simulator/fleet/program.js';
import { ManualClock } from '../../support/manual-clock.js';
import { eventually, StubManager } from './stub-manager.js';

/** One process of the fleet in front of a stub, in simulated time that stands still until the test moves it. */
export class Harness {
  readonly clock = new ManualClock();
  readonly counters = new Counters();
  readonly lack = new LackMeter(this.clock);
  readonly manager = new StubManager();
  #pod: Pod | undefined;

  async start(kind: MemberKind, program: Program): Promise<this> {
    if (this.manager.address === '') await this.manager.start();
    const random = (): number => 0.5;
    const pace = createPace(this.clock, 1);
    const who = createIdentity(kind, 7, { cohort: 'known', random, clusterId: 1 });
    const { lack, manager } = this;
    const counters = (): Counters => this.counters;
    this.#pod = new Pod(program, { managerAddress: manager.address, who, pace, counters, lack, random });
    this.#pod.start('fresh');
    return this;
  }

  get pod(): Pod {
    if (!this.#pod) throw new Error('not started');
    return this.#pod;
  }

  /** Waits until the process has nothing left to do but to wait. */
  async idle(timers = 1): Promise<void> {
    await eventually(() => this.clock.pendingTimers === timers);
  }

  /** Lets `ms` pass once the process waits, then waits for it to come to rest again. */
  async pass(ms: number, timers = 1): Promise<void> {
    await this.idle(timers);
    this.clock.advance(ms);
    await this.idle(timers);
  }

  async stop(): Promise<void> {
    await this.#pod?.stop();
    this.manager.stop();
  }
}
