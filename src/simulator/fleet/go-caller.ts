import { Code } from '../../rpc/status.js';
import type { CallOutcome } from './call-outcome.js';
import type { Life } from './life.js';
import { ManagerClient, type ReconnectBackoff } from './manager-client.js';
import { healthCheck, isServing, type Message } from './messages.js';
import type { Pace } from './pace.js';
import type { Surroundings } from './program.js';

const HEALTH_DEADLINE_MS = 2_000;
const CALL_DEADLINE_MS = 120_000;
const TRIES = 3;
const BETWEEN_TRIES_MS = 500;

/** How every Go component calls the manager: one channel, retries on two codes, long deadlines. */
export class GoCaller {
  readonly #around: Surroundings;
  readonly #life: Life;
  readonly client: ManagerClient;

  constructor(around: Surroundings, life: Life) {
    this.#around = around;
    this.#life = life;
    this.client = this.#open();
    life.own(() => this.client.close());
  }

  /** One call with its retries, counted once. `isEmpty` tells an answer that is of no use. */
  async call(
    message: Message,
    isEmpty: (body: Buffer | undefined) => boolean = () => false,
  ): Promise<boolean> {
    const { pace, counters, who } = this.#around;
    const startedMs = pace.clock.nowMs();
    let outcome: CallOutcome;
    for (let tries = 1; ; tries++) {
      outcome = await this.client.unary(message, pace.scaled(CALL_DEADLINE_MS));
      if (!isRetried(outcome.code) || tries === TRIES) break;
      if (!(await this.#life.sleep(pace.scaled(BETWEEN_TRIES_MS)))) return false;
    }
    if (this.#life.ended) return false;
    const latencyMs = pace.clock.nowMs() - startedMs;
    return counters().call(who.cohort, message.label, { ...outcome, latencyMs }, isEmpty(outcome.body));
  }

  /** Over a new channel that is closed again afterwards, and without retries. */
  async checkHealth(): Promise<boolean> {
    const { pace, counters, who } = this.#around;
    const client = this.#open();
    const close = (): void => client.close();
    this.#life.own(close);
    const outcome = await client.unary(healthCheck(), pace.scaled(HEALTH_DEADLINE_MS));
    this.#life.release(close);
    if (this.#life.ended) return false;
    return counters().call(who.cohort, 'Check', outcome) && isServing(outcome.body);
  }

  #open(): ManagerClient {
    const { managerAddress, pace, counters } = this.#around;
    counters().channelOpened();
    return new ManagerClient(managerAddress, { clock: pace.clock, backoff: goBackoff(pace) });
  }
}

function isRetried(code: number): boolean {
  return code === Code.UNAVAILABLE || code === Code.RESOURCE_EXHAUSTED;
}

/** grpc-go's default: 1 s, growing to 2 min. */
function goBackoff(pace: Pace): ReconnectBackoff {
  return { initialMs: pace.scaled(1_000), maxMs: pace.scaled(120_000) };
}
