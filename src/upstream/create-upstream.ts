import type { Config } from '../config/config.js';
import { GatewayError } from '../errors.js';
import type { Call, UnaryRequest } from '../rpc/call.js';
import type { Clock } from '../rpc/clock.js';
import { NO_METADATA } from '../rpc/metadata.js';
import { Code, type Status } from '../rpc/status.js';
import { type AnswersUnderWay, createAnswersUnderWay } from './answers-under-way.js';
import { type AttemptContext, attempt, enter } from './attempt.js';
import { forward, refuseCall } from './forward.js';
import type { Patience } from './in-flight.js';
import { isOurs, isUnsent } from './local-status.js';
import { Pool } from './pool.js';
import { type Resolver, systemResolver } from './resolver.js';
import { timedOut } from './unary.js';
import type { Answer, ForwardOutcome, Upstream } from './upstream.js';

export interface UpstreamOptions extends AttemptContext {
  readonly managers: Config['managers'];
  readonly limits: Pick<Config['server']['limits'], 'bytesInFlight'>;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly resolver?: Resolver;
}

/** The managers of the configuration, not started. */
export function createUpstream(options: UpstreamOptions): Upstream {
  const pool = new Pool(options, options.managers.addrs, options.resolver ?? systemResolver);
  const answers = createAnswersUnderWay({
    ...options,
    isKnown: (path) => options.methodLabel(path) !== 'other',
  });
  let stopping: Promise<void> | undefined;
  const refuseWhenStopping = () => {
    if (stopping) throw new GatewayError('draining', 'manager-gateway: stopping');
  };

  return {
    start: () => pool.start(),
    async unary(request) {
      refuseWhenStopping();
      return askInTurn(options, pool, request, refuseWhenStopping);
    },
    async forward(call) {
      try {
        refuseWhenStopping();
        const opening = answers.opening(call.path);
        const answered = opening === undefined ? nothing : await opening;
        return await forwardInTurn(options, pool, call, { answers, answered }, refuseWhenStopping).finally(
          answered,
        );
      } catch (error) {
        tellUnexpected(options, call.path, error);
        return { code: refuseCall(call, error).code };
      }
    },
    get healthy() {
      return pool.healthy;
    },
    describeTrouble: () => pool.describeTrouble(),
    statuses: () => pool.statuses(),
    setAddresses: (addrs) => pool.setAddresses(addrs),
    line: (not) => pool.line(not),
    lineTo: (address) => pool.lineTo(address),
    watchLines: (changed) => pool.watchLines(changed),
    stop(deadlineMs) {
      stopping ??= pool.close(deadlineMs);
      return stopping;
    },
  };
}

/** A request that no manager has seen is sent again, a write, too: behind a GOAWAY that is a matter of milliseconds. */
const TRIES_TO_SEND = 3;

/** Waits for a place at an address, then asks there. */
async function askInTurn(
  options: UpstreamOptions,
  pool: Pool,
  request: UnaryRequest,
  refuseWhenStopping: () => void,
): Promise<Answer> {
  checkPatience(request, options.clock);
  for (let tries = 1; ; ) {
    const address = await pool.chooseSoon(request);
    refuseWhenStopping();
    if (!address) return unresolved(pool, options.clock);
    const turn = await enter(options, address, request);
    if (turn === 'gone') continue;
    try {
      if (request.waitForReady || tries > 1) await address.whenReady(request);
      if (address.closed) continue; // in the moment between
      const answer = await attempt(options, address, address.channel(), request);
      if (isUnsent(answer.reply.status) && tries++ < TRIES_TO_SEND) continue;
      return sinceWhen(answer, pool);
    } finally {
      address.inFlight.leave();
    }
  }
}

/** A refused connection says what is wrong; how long it has been so, only the pool knows. */
function sinceWhen(answer: Answer, pool: Pool): Answer {
  const { code, message } = answer.reply.status;
  const trouble = isOurs(message) && code === Code.UNAVAILABLE ? pool.describeTrouble() : undefined;
  if (trouble === undefined) return answer;
  return { ...answer, reply: { ...answer.reply, status: { code, message: `manager-gateway: ${trouble}` } } };
}

async function forwardInTurn(
  options: UpstreamOptions,
  pool: Pool,
  call: Call,
  toldOf: { readonly answers: AnswersUnderWay; readonly answered: () => void },
  refuseWhenStopping: () => void,
): Promise<ForwardOutcome> {
  let address = await pool.chooseSoon(call);
  refuseWhenStopping();
  if (address?.closed) address = pool.choose(); // it went in the moment between
  if (!address) throw new GatewayError('manager-unavailable', unresolvedText(pool));
  const failed = (error: unknown): void => tellUnexpected(options, call.path, error);
  const { code } = await forward(call, address.channel(), { ...toldOf, clock: options.clock, failed });
  if (code === Code.UNAVAILABLE) address.reportTrouble();
  return { code };
}

const nothing = (): void => undefined;

/** What is not ours is told of here: its caller is told to look into the log. */
function tellUnexpected({ emit, methodLabel }: UpstreamOptions, path: string, error: unknown): void {
  if (!(error instanceof GatewayError)) emit({ kind: 'internal-error', where: methodLabel(path), error });
}

function checkPatience({ deadlineMs, signal }: Patience, clock: Clock): void {
  if (signal?.aborted) throw new GatewayError('caller-cancelled', 'the caller has gone');
  if (deadlineMs !== undefined && deadlineMs <= clock.nowMs()) throw timedOut('(not asked)', 0);
}

/** No name has an address: for the caller the same as a refused connection. */
function unresolved(pool: Pool, clock: Clock): Answer {
  const status: Status = { code: Code.UNAVAILABLE, message: unresolvedText(pool) };
  const reply = { headers: NO_METADATA, message: undefined, status, trailers: NO_METADATA };
  return { reply, askedAtMs: clock.nowMs(), answeredAtMs: clock.nowMs(), manager: '0' };
}

function unresolvedText(pool: Pool): string {
  return `manager-gateway: ${pool.describeTrouble() ?? 'no manager'}`;
}
