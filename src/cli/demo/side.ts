import { type Fleet, startFleet } from '../../simulator/fleet/fleet.js';
import type { SideFigures } from './figures.js';
import { GatewayProcess } from './gateway-process.js';
import { ManagerProcess } from './manager-process.js';
import { COMING_UP, FLEET, type Phase, TIME_FACTOR } from './script.js';

/** Whose fleet it is: in front of its manager directly, or with the gateway between. */
export type SideName = 'direct' | 'gateway';

/** One of the two worlds that live through the same incident: a manager, a fleet, and perhaps a gateway. */
export class Side {
  readonly name: SideName;
  readonly #manager: ManagerProcess;
  readonly #gateway: GatewayProcess | undefined;
  readonly #seed: number;
  #fleet: Fleet | undefined;
  #rollOut: Promise<void> = Promise.resolve();

  private constructor(
    name: SideName,
    manager: ManagerProcess,
    gateway: GatewayProcess | undefined,
    seed: number,
  ) {
    this.name = name;
    this.#manager = manager;
    this.#gateway = gateway;
    this.#seed = seed;
  }

  /** Everything but the fleet, which begins with `begin`. */
  static async start(name: SideName, seed: number): Promise<Side> {
    const manager = await ManagerProcess.start(seed);
    try {
      const gateway = name === 'gateway' ? await GatewayProcess.start(manager.address) : undefined;
      return new Side(name, manager, gateway, seed);
    } catch (error) {
      await manager.stop();
      throw error;
    }
  }

  begin(): void {
    const managerAddress = this.#gateway?.address ?? this.#manager.address;
    this.#fleet = startFleet({
      managerAddress,
      ...FLEET,
      ...COMING_UP,
      timeFactor: TIME_FACTOR,
      seed: this.#seed,
    });
  }

  async enter(phase: Phase): Promise<void> {
    await this.#manager.become(phase.manager);
    if (phase.counts === 'from-here') this.#fleet?.resetStats();
    if (phase.rollOut !== undefined && this.#fleet) this.#rollOut = this.#fleet.rollOut(phase.rollOut);
    if (phase.join !== undefined) this.#fleet?.join(phase.join);
  }

  async figures(): Promise<SideFigures> {
    if (!this.#fleet) throw new Error('the fleet has not begun');
    const [manager, gateway] = await Promise.all([this.#manager.report(), this.#gateway?.report()]);
    return { fleet: this.#fleet.stats(), manager, gateway };
  }

  async stop(): Promise<void> {
    await this.#fleet?.stop();
    await this.#rollOut;
    await this.#gateway?.stop();
    await this.#manager.stop();
  }
}
